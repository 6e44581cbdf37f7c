// Grpc-peer is the service on gRPC for Go.
package main

import (
	"context"
	"net"
	"time"

	"google.golang.org/grpc"

	"peers/server"
	"peers/service"
)

type transport struct {
	server *grpc.Server
}

func main() {
	server.Main(transport{grpc.NewServer()})
}

func (t transport) Register(name string, methods map[string]service.Method) {
	description := grpc.ServiceDesc{ServiceName: name, HandlerType: (*interface{})(nil)}
	for name, method := range methods {
		description.Methods = append(description.Methods,
			grpc.MethodDesc{MethodName: name, Handler: handler(method)})
	}
	t.server.RegisterService(&description, struct{}{})
}

// handler returns a method's handler as generated code would have it, but without interceptors.
func handler(method service.Method) func(
	interface{}, context.Context, func(interface{}) error, grpc.UnaryServerInterceptor,
) (interface{}, error) {
	return func(
		_ interface{}, ctx context.Context, decode func(interface{}) error,
		_ grpc.UnaryServerInterceptor,
	) (interface{}, error) {
		return method(ctx, decode)
	}
}

func (t transport) Serve(listener net.Listener) error {
	return t.server.Serve(listener)
}

func (t transport) Shutdown() {
	timer := time.AfterFunc(3*time.Second, t.server.Stop)
	defer timer.Stop()
	t.server.GracefulStop()
}
