// Server serves the service `p` with containerd's ttrpc server, for tests of the Swift client. Its
// messages are {1: int64} unless a method says otherwise. scripts/interop runs it.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/containerd/ttrpc"
	"github.com/gogo/protobuf/types"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// listener records the accepted connections, so that cut can close them.
type listener struct {
	net.Listener
	lock     sync.Mutex
	accepted []net.Conn
}

func (l *listener) Accept() (net.Conn, error) {
	connection, err := l.Listener.Accept()
	if err == nil {
		l.lock.Lock()
		defer l.lock.Unlock()
		l.accepted = append(l.accepted, connection)
	}
	return connection, err
}

func (l *listener) cut() {
	l.lock.Lock()
	defer l.lock.Unlock()
	for _, connection := range l.accepted {
		connection.Close()
	}
}

// expired counts the calls of Wait that ended by their deadline.
var expired int64

// begun counts the calls of Wait.
var begun int64

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: server SOCKET")
		os.Exit(64)
	}
	for {
		if err := serve(os.Args[1]); err != ttrpc.ErrServerClosed {
			fmt.Fprintln(os.Stderr, "server:", err)
			os.Exit(1)
		}
	}
}

// serve serves until Restart is called.
func serve(socket string) error {
	os.Remove(socket)
	bound, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	listener := &listener{Listener: bound}
	server, err := ttrpc.NewServer()
	if err != nil {
		return err
	}
	server.Register("p", methods(server, listener))
	return server.Serve(context.Background(), listener)
}

func methods(server *ttrpc.Server, listener *listener) map[string]ttrpc.Method {
	return map[string]ttrpc.Method{
		// Returns the request plus 1.
		"Echo": method(func(_ context.Context, request int64) (interface{}, error) {
			return number(request + 1), nil
		}),
		"Refuse": method(func(context.Context, int64) (interface{}, error) {
			return nil, status.Error(codes.FailedPrecondition, "no")
		}),
		// Returns the request, after that number of milliseconds.
		"Wait": method(func(ctx context.Context, request int64) (interface{}, error) {
			atomic.AddInt64(&begun, 1)
			select {
			case <-time.After(time.Duration(request) * time.Millisecond):
				return number(request), nil
			case <-ctx.Done():
				if ctx.Err() == context.DeadlineExceeded {
					atomic.AddInt64(&expired, 1)
				}
				return nil, ctx.Err()
			}
		}),
		// Returns the number of calls of Wait that have begun.
		"Begun": method(func(context.Context, int64) (interface{}, error) {
			return number(atomic.LoadInt64(&begun)), nil
		}),
		// Returns the number of calls of Wait that ended at the client's deadline.
		"Expired": method(func(context.Context, int64) (interface{}, error) {
			return number(atomic.LoadInt64(&expired)), nil
		}),
		// Returns {1: bytes} with that number of bytes.
		"Large": method(func(_ context.Context, request int64) (interface{}, error) {
			return &types.BytesValue{Value: make([]byte, request)}, nil
		}),
		// Returns {1: string}: the values of k in the metadata, separated by commas.
		"Metadata": method(func(ctx context.Context, _ int64) (interface{}, error) {
			metadata, _ := ttrpc.GetMetadata(ctx)
			values, _ := metadata.Get("k")
			return &types.StringValue{Value: strings.Join(values, ",")}, nil
		}),
		// Returns the nanoseconds until the call's deadline; 0 without a deadline.
		"Deadline": method(func(ctx context.Context, _ int64) (interface{}, error) {
			deadline, ok := ctx.Deadline()
			if !ok {
				return number(0), nil
			}
			return number(time.Until(deadline).Nanoseconds()), nil
		}),
		// Closes all connections, without a response.
		"Cut": method(func(context.Context, int64) (interface{}, error) {
			listener.cut()
			return number(0), nil
		}),
		// Shuts the server down with ttrpc.Server.Shutdown, and starts another one on the same socket.
		"Restart": method(func(context.Context, int64) (interface{}, error) {
			go server.Shutdown(context.Background())
			return number(0), nil
		}),
	}
}

func method(body func(context.Context, int64) (interface{}, error)) ttrpc.Method {
	return func(ctx context.Context, unmarshal func(interface{}) error) (interface{}, error) {
		var request types.Int64Value
		if err := unmarshal(&request); err != nil {
			return nil, err
		}
		return body(ctx, request.Value)
	}
}

func number(value int64) *types.Int64Value {
	return &types.Int64Value{Value: value}
}
