// Package server runs the service on a Unix socket, with any protocol.
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

// Transport is the server of a protocol.
type Transport interface {
	// Register adds a service. It is called before Serve.
	Register(service string, methods map[string]service.Method)
	// Serve serves until Shutdown.
	Serve(net.Listener) error
	// Shutdown stops the server, and waits a limited time for running calls.
	Shutdown()
}

// Main runs the program with a transport, until SIGTERM or SIGINT.
func Main(transport Transport) {
	socket := flag.String("socket", "", "the Unix socket to listen on")
	database := flag.String("database", "",
		"the URL of a database with peer.sql; without it, only health checks are served")
	engine := flag.Bool("engine", false, "the database has mockupd's schema instead")
	pool := flag.Int("pool", 16, "the number of connections to the database")
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

	// A process that was killed leaves its socket behind.
	if err := os.Remove(socket); err != nil && !os.IsNotExist(err) {
		return err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	// From here on, connections are accepted.
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
