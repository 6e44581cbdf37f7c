// Ttrpc-peer is the service on containerd's ttrpc server.
package main

import (
	"context"
	"log"
	"net"
	"time"

	"github.com/containerd/ttrpc"

	"peers/server"
	"peers/service"
)

type transport struct {
	server *ttrpc.Server
}

func main() {
	peer, err := ttrpc.NewServer()
	if err != nil {
		log.Fatal(err)
	}
	server.Main(transport{peer})
}

func (t transport) Register(name string, methods map[string]service.Method) {
	registered := make(map[string]ttrpc.Method, len(methods))
	for name, method := range methods {
		registered[name] = ttrpc.Method(method)
	}
	t.server.Register(name, registered)
}

func (t transport) Serve(listener net.Listener) error {
	return t.server.Serve(context.Background(), listener)
}

func (t transport) Shutdown() {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if t.server.Shutdown(ctx) != nil {
		t.server.Close()
	}
}
