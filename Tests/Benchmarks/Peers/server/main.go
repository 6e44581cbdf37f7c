// Package server runs the service on a Unix socket, over whichever protocol.
package server

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"syscall"

	"peers/service"
)

// Transport is a protocol's server.
type Transport interface {
	// Register is called before Serve.
	Register(service string, methods map[string]service.Method)
	// Serve serves until it is shut down.
	Serve(net.Listener) error
	// Shutdown lets running calls end, within limits.
	Shutdown()
}

// Main is the program around a transport. It ends at SIGTERM or SIGINT.
func Main(transport Transport) {
	socket := flag.String("socket", "", "where to listen")
	database := flag.String("database", "",
		"URL of a database that has peer.sql; without it there is health alone")
	engine := flag.Bool("engine", false, "the database has mockupd's schema instead")
	pool := flag.Int("pool", 16, "connections to the database")
	flag.Parse()
	if *socket == "" || *pool < 1 || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(64)
	}
	statements := service.Own
	if *engine {
		statements = service.Engine
	}
	if err := serve(transport, *socket, *database, statements, *pool); err != nil {
		log.Fatal(err)
	}
}

func serve(
	transport Transport, socket, database string, statements service.Statements, connections int,
) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()

	register(transport, service.Health())
	if database != "" {
		pool, err := service.Connect(ctx, database, statements, connections)
		if err != nil {
			return err
		}
		defer pool.Close()
		register(transport, service.Credits(pool))
	}

	// One that was killed leaves its socket behind.
	if err := os.Remove(socket); err != nil && !os.IsNotExist(err) {
		return err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	// Whoever connects from here on is served.
	fmt.Println("ready", socket)

	ended := make(chan error, 1)
	go func() { ended <- transport.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		transport.Shutdown()
		return nil
	}
}

func register(transport Transport, services service.Services) {
	for name, methods := range services {
		transport.Register(name, methods)
	}
}
