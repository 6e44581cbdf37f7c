package main

import (
	"context"
	"log"
	"net"
	"sync"
	"time"

	"github.com/codahale/hdrhistogram"
	"google.golang.org/grpc"
)

// tally counts the calls of the measured time.
type tally struct {
	latencies *hdrhistogram.Histogram // nanoseconds, of the calls that succeeded
	errors    int64
	first     error
}

func newTally() *tally {
	return &tally{latencies: hdrhistogram.New(100, int64(time.Minute), 3)}
}

func (t *tally) add(other *tally) {
	t.latencies.Merge(other.latencies)
	t.errors += other.errors
	if t.first == nil {
		t.first = other.first
	}
}

// run generates the load and reports on it.
func run(o options) (*report, error) {
	ctx, cancel := context.WithTimeout(context.Background(), o.warmup+o.measured)
	defer cancel()
	begin := time.Now().Add(o.warmup)

	var callers sync.WaitGroup
	var tallies []*tally
	for i := 0; i < o.connections; i++ {
		connection, err := dial(ctx, o.socket)
		if err != nil {
			return nil, err
		}
		defer connection.Close()
		for j := 0; j < o.inFlight; j++ {
			call, err := works[o.work](connection, o.users)
			if err != nil {
				return nil, err
			}
			own := newTally()
			tallies = append(tallies, own)
			callers.Add(1)
			go func() {
				defer callers.Done()
				own.count(ctx, begin, call)
			}()
		}
	}

	time.Sleep(time.Until(begin))
	before, err := readUsage(o.server)
	if err != nil {
		return nil, err
	}
	measuredFrom := time.Now()
	<-ctx.Done()
	measured := time.Since(measuredFrom)
	after, err := readUsage(o.server)
	if err != nil {
		return nil, err
	}
	callers.Wait()

	all := newTally()
	for _, own := range tallies {
		all.add(own)
	}
	if all.first != nil {
		log.Printf("%d calls failed, the first with: %v", all.errors, all.first)
	}
	return newReport(o, all, measured, before, after), nil
}

func dial(ctx context.Context, socket string) (*grpc.ClientConn, error) {
	return grpc.DialContext(ctx, "passthrough:///"+socket, grpc.WithInsecure(), grpc.WithBlock(),
		grpc.WithContextDialer(func(ctx context.Context, path string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		}))
}

// count makes calls until the context ends, and counts those that end after begin.
func (t *tally) count(ctx context.Context, begin time.Time, call call) {
	// A context without the deadline of ctx, which would be sent with each request.
	calling, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		<-ctx.Done()
		cancel()
	}()
	for {
		sent := time.Now()
		err := call(calling)
		done := time.Now()
		switch {
		case ctx.Err() != nil:
			return
		case done.Before(begin):
		case err != nil:
			t.errors++
			if t.first == nil {
				t.first = err
			}
		default:
			// A call that exceeds the highest value is not recorded, but lowers the rate.
			_ = t.latencies.RecordValue(int64(done.Sub(sent)))
		}
	}
}
