// Conformance serves the unary methods of Tests/TTRPCConformanceTests/Proto/service.proto with
// containerd's ttrpc library. It listens on a given socket until it is killed.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/containerd/ttrpc"
	"github.com/gogo/protobuf/proto"
	"github.com/gogo/protobuf/types"
	"github.com/golang/protobuf/ptypes/any"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"
)

// number and blob are the messages of the service: {1: int64} and {1: bytes}.
type number = types.Int64Value
type blob = types.BytesValue

// callRegistry records the running and the released calls, by the number in the metadata key "k".
type callRegistry struct {
	sync.Mutex
	running  map[int64]int64
	released map[int64]bool
}

func (r *callRegistry) count(key, change int64) {
	r.Lock()
	defer r.Unlock()
	r.running[key] += change
}

func (r *callRegistry) hold(ctx context.Context, key int64) error {
	for {
		r.Lock()
		released := r.released[key]
		r.Unlock()
		if released {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

type handler func(ctx context.Context, n int64) (proto.Message, error)

// method returns a method with a handler that takes a number, and counts its running calls.
func (r *callRegistry) method(handle handler) ttrpc.Method {
	return func(ctx context.Context, unmarshal func(interface{}) error) (interface{}, error) {
		var request number
		if err := unmarshal(&request); err != nil {
			return nil, err
		}
		if text, ok := ttrpc.GetMetadataValue(ctx, "k"); ok {
			if key, err := strconv.ParseInt(text, 10, 64); err == nil {
				r.count(key, 1)
				defer r.count(key, -1)
			}
		}
		return handle(ctx, request.Value)
	}
}

func (r *callRegistry) methods() map[string]ttrpc.Method {
	return map[string]ttrpc.Method{
		"Echo": r.method(func(_ context.Context, n int64) (proto.Message, error) {
			return &number{Value: n + 1}, nil
		}),
		"Fail": r.method(func(context.Context, int64) (proto.Message, error) {
			return nil, errors.New("the secret is password")
		}),
		"Refuse": r.method(func(context.Context, int64) (proto.Message, error) {
			why := &any.Any{TypeUrl: "type.example/p.Why", Value: []byte{1}}
			return nil, grpcstatus.ErrorProto(&status.Status{
				Code: int32(codes.FailedPrecondition), Message: "no", Details: []*any.Any{why},
			})
		}),
		"Large": r.method(func(_ context.Context, n int64) (proto.Message, error) {
			if n < 0 || n > 1<<24 {
				n = 0
			}
			return &blob{Value: bytes.Repeat([]byte("x"), int(n))}, nil
		}),
		"Metadata": r.method(func(ctx context.Context, _ int64) (proto.Message, error) {
			md, _ := ttrpc.GetMetadata(ctx)
			values, _ := md.Get("v")
			return &blob{Value: []byte(strings.Join(values, ","))}, nil
		}),
		"Hold": r.method(func(ctx context.Context, n int64) (proto.Message, error) {
			return &number{Value: n}, r.hold(ctx, n)
		}),
		"Release": r.method(func(_ context.Context, n int64) (proto.Message, error) {
			r.Lock()
			defer r.Unlock()
			r.released[n] = true
			return &number{Value: n}, nil
		}),
		"Running": r.method(func(_ context.Context, n int64) (proto.Message, error) {
			r.Lock()
			defer r.Unlock()
			return &number{Value: r.running[n]}, nil
		}),
	}
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: conformance SOCKET")
		os.Exit(64)
	}
	if err := serve(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

func serve(path string) error {
	listener, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	server, err := ttrpc.NewServer()
	if err != nil {
		return err
	}
	registry := &callRegistry{running: map[int64]int64{}, released: map[int64]bool{}}
	server.Register("p", registry.methods())
	fmt.Println("ready", path)
	return server.Serve(context.Background(), listener)
}
