// Budget spends a budget over ttrpc and gRPC at the same time, on one connection each, and makes
// HTTP requests meanwhile. It prints a line for each check, and exits with 1 if one of them fails.
// scripts/interop runs it.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/containerd/ttrpc"
	"github.com/gogo/protobuf/proto"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	mockups "mockups/v1"
)

const (
	budget = 3500
	// The number of reservations of one credit that are requested over both connections.
	requested = 4000
	// The number of calls in flight on each connection.
	inFlight = 16
	service  = "mockups.v1.CreditService"
)

var failed bool

// check prints whether a check holds, and the values it has seen if it does not.
func check(what string, ok bool, got ...interface{}) {
	if ok {
		fmt.Println("ok  ", what)
		return
	}
	failed = true
	fmt.Println("FAIL", what, got)
}

// caller makes a call of the credit service over one of the connections.
type caller func(ctx context.Context, method string, request, response proto.Message) error

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: budget SOCKET USER")
		os.Exit(64)
	}
	socket, user := os.Args[1], os.Args[2]
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	callers := []caller{retrying(overTTRPC(socket)), retrying(overGRPC(socket))}

	watching, stop := context.WithCancel(ctx)
	requests := make(chan int)
	go func() { requests <- makeRequests(watching, socket) }()
	reserved := reserve(ctx, callers, user)
	checkUsage(ctx, callers, user, 0, budget)
	commit(ctx, callers, user, reserved)
	checkUsage(ctx, callers, user, budget, 0)
	stop()
	check("HTTP requests succeed meanwhile", <-requests > 0)
	check("all calls with gRPC were made on one connection", atomic.LoadInt64(&dialed) == 1, dialed)
	if failed {
		os.Exit(1)
	}
}

// retrying makes a call again, under the same ids, while the server is unavailable: its database
// may be slow on a busy machine.
func retrying(call caller) caller {
	return func(ctx context.Context, method string, request, response proto.Message) error {
		for {
			err := call(ctx, method, request, response)
			if status.Code(err) != codes.Unavailable {
				return err
			}
			select {
			case <-ctx.Done():
				return err
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
}

func overTTRPC(socket string) caller {
	connection := connect(socket)
	client := ttrpc.NewClient(connection)
	return func(ctx context.Context, method string, request, response proto.Message) error {
		return client.Call(ctx, service, method, request, response)
	}
}

// dialed is the number of connections that were made for gRPC.
var dialed int64

func overGRPC(socket string) caller {
	dial := func(ctx context.Context, path string) (net.Conn, error) {
		atomic.AddInt64(&dialed, 1)
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}
	client, err := grpc.Dial("passthrough:///"+socket, grpc.WithInsecure(),
		grpc.WithContextDialer(dial))
	if err != nil {
		fmt.Fprintln(os.Stderr, "budget:", err)
		os.Exit(1)
	}
	return func(ctx context.Context, method string, request, response proto.Message) error {
		return client.Invoke(ctx, "/"+service+"/"+method, request, response)
	}
}

func connect(socket string) net.Conn {
	connection, err := net.Dial("unix", socket)
	if err != nil {
		fmt.Fprintln(os.Stderr, "budget:", err)
		os.Exit(1)
	}
	return connection
}

// atOnce runs a function for the numbers below count, inFlight at a time over each connection. The
// function gets the caller of its own connection, and then that of the other.
func atOnce(callers []caller, count int, body func(number int, call, other caller)) {
	var next int64 = -1
	var group sync.WaitGroup
	for index := range callers {
		call, other := callers[index], callers[len(callers)-1-index]
		for worker := 0; worker < inFlight; worker++ {
			group.Add(1)
			go func() {
				defer group.Done()
				for {
					number := int(atomic.AddInt64(&next, 1))
					if number >= count {
						return
					}
					body(number, call, other)
				}
			}()
		}
	}
	group.Wait()
}

// reserve requests more reservations than the budget allows, each over both connections, and
// returns the ids of those that hold a credit.
func reserve(ctx context.Context, callers []caller, user string) (reserved []string) {
	var lock sync.Mutex
	refused := 0
	var different []string
	var errors []error
	atOnce(callers, requested, func(number int, call, other caller) {
		request := &mockups.ReserveCreditsRequest{
			UserId: user, Credits: 1,
			ReservationId: fmt.Sprintf("00000000-0000-4000-8000-%012d", number+1)}
		var first, second mockups.ReserveCreditsResponse
		err := call(ctx, "ReserveCredits", request, &first)
		if err == nil {
			err = other(ctx, "ReserveCredits", request, &second)
		}
		lock.Lock()
		defer lock.Unlock()
		switch {
		case err != nil:
			errors = append(errors, err)
		case first.Success:
			reserved = append(reserved, request.ReservationId)
		default:
			refused++
		}
		// The first response is a replayed one if its call was made again.
		if !second.Replayed || second.Success != first.Success ||
			second.Remaining != first.Remaining {
			different = append(different, fmt.Sprint(first, "\n", second))
		}
	})
	check("no call fails", len(errors) == 0, errors)
	check("of 4000 requests for a credit 3500 succeed, and the others are refused",
		len(reserved) == budget && refused == requested-budget, len(reserved), refused)
	check("each request has the same response again over the other protocol",
		len(different) == 0, different)
	return reserved
}

// commit commits each reservation.
func commit(ctx context.Context, callers []caller, user string, reserved []string) {
	var committed int64
	atOnce(callers, len(reserved), func(number int, call, _ caller) {
		request := &mockups.CommitReservationRequest{UserId: user, ReservationId: reserved[number]}
		var response mockups.CommitReservationResponse
		if err := call(ctx, "CommitReservation", request, &response); err == nil {
			atomic.AddInt64(&committed, int64(response.Committed))
		}
	})
	check("3500 credits are committed", committed == budget, committed)
}

func checkUsage(ctx context.Context, callers []caller, user string, used, held int64) {
	for _, call := range callers {
		var usage mockups.GetCreditUsageResponse
		err := call(ctx, "GetCreditUsage", &mockups.GetCreditUsageRequest{UserId: user}, &usage)
		check(fmt.Sprintf("%d credits are used, %d are held, and none is available", used, held),
			err == nil && usage.TotalUsed == used && usage.Held == held && usage.RemainingAnnual == 0,
			usage, err)
	}
}

// makeRequests makes HTTP requests, one at a time, until the context is cancelled, and returns
// their number. The server closes an HTTP connection after its response.
func makeRequests(ctx context.Context, socket string) (requests int) {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}
	client := http.Client{Transport: &http.Transport{DialContext: dial}}
	for ctx.Err() == nil {
		response, err := client.Get("http://mockupd/readyz")
		if err != nil {
			check("an HTTP request has a response", false, err)
			return requests
		}
		text, err := io.ReadAll(response.Body)
		response.Body.Close()
		switch {
		case err == nil && response.StatusCode == http.StatusOK:
			requests++
		case err == nil && response.StatusCode == http.StatusServiceUnavailable:
			// The database is slow; the server says so.
		default:
			check("an HTTP request succeeds", false, response.Status, string(text), err)
			return requests
		}
	}
	return requests
}
