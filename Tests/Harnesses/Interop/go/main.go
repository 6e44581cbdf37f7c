// Interop calls mockupd with containerd's ttrpc client and the code of containerd's generator. It
// prints a line for each check, and exits with 1 if one of them fails. scripts/interop runs it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/containerd/ttrpc"
	"google.golang.org/grpc/codes"
	health "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	credits "mockups/v1"
)

const (
	reservation = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
	nobody      = "00000000-0000-4000-8000-000000000000"
)

// peer is the server to call and the users to call it for.
type peer struct {
	socket string
	// user has a budget of 10 credits and no other callers.
	user string
	// slow is a user whose reservations take the database a minute.
	slow string
	// trace is the trace id that the server is expected to log for a call.
	trace string
}

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

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: interop SOCKET USER SLOW-USER TRACE-ID")
		os.Exit(64)
	}
	peer := peer{os.Args[1], os.Args[2], os.Args[3], os.Args[4]}
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()

	client := connect(peer.socket)
	service := credits.NewCreditServiceClient(client)
	askForHealth(ctx, client)
	spend(ctx, service, peer.user)
	refuse(ctx, client, service, peer.user)
	sendMetadata(ctx, service, peer)
	callAtOnce(ctx, service, peer.user)
	runOutOfTime(ctx, service, peer)
	client.Close()
	hangUp(ctx, peer)
	if failed {
		os.Exit(1)
	}
}

func connect(socket string, options ...ttrpc.ClientOpts) *ttrpc.Client {
	connection, err := net.Dial("unix", socket)
	if err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		os.Exit(1)
	}
	return ttrpc.NewClient(connection, options...)
}

// askForHealth calls the health service.
func askForHealth(ctx context.Context, client *ttrpc.Client) {
	service := health.NewHealthClient(client)
	for _, name := range []string{"", "mockups.v1.CreditService"} {
		answer, err := service.Check(ctx, &health.HealthCheckRequest{Service: name})
		// The server is serving once it has reached the database.
		for err == nil && answer.Status != health.HealthCheckResponse_SERVING {
			time.Sleep(20 * time.Millisecond)
			answer, err = service.Check(ctx, &health.HealthCheckRequest{Service: name})
		}
		check(fmt.Sprintf("the health of %q is SERVING", name),
			err == nil && answer.Status == health.HealthCheckResponse_SERVING, answer, err)
	}
	_, err := service.Check(ctx, &health.HealthCheckRequest{Service: "nope"})
	check("the health of an unknown service is NotFound", status.Code(err) == codes.NotFound, err)
}

// spend reserves credits, repeats that call, commits a part, and reads the usage and the ledger.
func spend(ctx context.Context, service credits.CreditServiceService, user string) {
	request := &credits.ReserveCreditsRequest{UserId: user, ReservationId: reservation, Credits: 3}
	reserved, err := service.ReserveCredits(ctx, request)
	check("credits are reserved",
		err == nil && reserved.Success && reserved.Remaining == 7 && !reserved.Replayed &&
			reserved.Message == "Credits reserved successfully." &&
			reserved.Reservation.State == credits.ReservationState_RESERVATION_STATE_HELD &&
			time.Since(time.Unix(reserved.Reservation.CreatedAt.Seconds, 0)) < time.Minute,
		reserved, err)

	again, err := service.ReserveCredits(ctx, request)
	check("a retry with the same id has the same response",
		err == nil && again.Success && again.Remaining == 7 && again.Replayed, again, err)

	committed, err := service.CommitReservation(ctx, &credits.CommitReservationRequest{
		UserId: user, ReservationId: reservation,
		CreditsToCommit: &credits.CommitReservationRequest_Credits{Credits: 2},
	})
	check("a part is committed, and the rest is released",
		err == nil && committed.Committed == 2 && committed.Released == 1 && committed.Remaining == 8,
		committed, err)

	usage, err := service.GetCreditUsage(ctx, &credits.GetCreditUsageRequest{UserId: user})
	check("the usage has the committed credits",
		err == nil && usage.TotalUsed == 2 && usage.Held == 0 && usage.AnnualBudget == 10 &&
			usage.RemainingAnnual == 8,
		usage, err)

	entries, err := service.ListCreditUsage(ctx, &credits.ListCreditUsageRequest{UserId: user})
	check("the ledger has one entry",
		err == nil && len(entries.Entries) == 1 && entries.Entries[0].Credits == 2 &&
			entries.Entries[0].ReservationId == reservation && entries.NextPageToken == "",
		entries, err)
}

// refuse makes calls that fail, on a connection that is used afterwards.
func refuse(
	ctx context.Context, client *ttrpc.Client, service credits.CreditServiceService, user string,
) {
	short, err := service.ReserveCredits(ctx, &credits.ReserveCreditsRequest{
		UserId: user, ReservationId: nobody, Credits: 9})
	check("insufficient credits are not an error",
		err == nil && !short.Success && short.Message == "Insufficient credits. 8 remaining.",
		short, err)

	_, err = service.GetCreditUsage(ctx, &credits.GetCreditUsageRequest{UserId: nobody})
	check("an unknown user is NotFound", status.Code(err) == codes.NotFound, err)

	_, err = service.ReserveCredits(ctx, &credits.ReserveCreditsRequest{
		UserId: user, ReservationId: nobody, Credits: -1})
	check("negative credits are InvalidArgument", status.Code(err) == codes.InvalidArgument, err)

	none := &credits.GetCreditUsageRequest{}
	err = client.Call(ctx, "mockups.v1.CreditService", "Nope", none, &credits.GetCreditUsageResponse{})
	check("an unknown method is Unimplemented", status.Code(err) == codes.Unimplemented, err)
	err = client.Call(ctx, "mockups.v1.Nope", "Nope", none, &credits.GetCreditUsageResponse{})
	check("an unknown service is Unimplemented", status.Code(err) == codes.Unimplemented, err)
}

// callAtOnce makes calls from many goroutines on one connection.
func callAtOnce(ctx context.Context, service credits.CreditServiceService, user string) {
	const calls = 200
	var lock sync.Mutex
	admitted := 0
	var group sync.WaitGroup
	for number := 0; number < calls; number++ {
		group.Add(1)
		go func(number int) {
			defer group.Done()
			answer, err := service.ReserveCredits(ctx, &credits.ReserveCreditsRequest{
				UserId: user, Credits: 1,
				ReservationId: fmt.Sprintf("00000000-0000-4000-8000-%012d", number+1)})
			lock.Lock()
			defer lock.Unlock()
			if err != nil {
				check("one of 200 concurrent calls", false, err)
			} else if answer.Success {
				admitted++
			}
		}(number)
	}
	group.Wait()
	check("of 200 concurrent calls as many succeed as there are credits", admitted == 8, admitted)
}

// sendMetadata sends a trace id in the metadata. The script checks that the server logs it.
func sendMetadata(ctx context.Context, service credits.CreditServiceService, peer peer) {
	parent := "00-" + peer.trace + "-00f067aa0ba902b7-01"
	ctx = ttrpc.WithMetadata(ctx, ttrpc.MD{"traceparent": {parent}, "other": {"a", "b"}})
	_, err := service.GetCreditUsage(ctx, &credits.GetCreditUsageRequest{UserId: peer.user})
	check("a call with metadata succeeds", err == nil, err)
}

// runOutOfTime makes one call that exceeds the client's deadline, and one that exceeds only the
// deadline that the server enforces.
func runOutOfTime(ctx context.Context, service credits.CreditServiceService, peer peer) {
	request := &credits.ReserveCreditsRequest{
		UserId: peer.slow, ReservationId: reservation, Credits: 1}
	short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	_, err := service.ReserveCredits(short, request)
	check("the client's deadline ends a call",
		errors.Is(err, context.DeadlineExceeded) || status.Code(err) == codes.DeadlineExceeded, err)

	// The client waits for minutes, but sends the server a shorter timeout.
	hurried := connect(peer.socket, ttrpc.WithUnaryClientInterceptor(
		func(ctx context.Context, request *ttrpc.Request, response *ttrpc.Response,
			_ *ttrpc.UnaryClientInfo, invoke ttrpc.Invoker) error {
			request.TimeoutNano = int64(200 * time.Millisecond)
			return invoke(ctx, request, response)
		}))
	defer hurried.Close()
	_, err = credits.NewCreditServiceClient(hurried).ReserveCredits(ctx, request)
	check("the server's deadline ends a call, with a status",
		status.Code(err) == codes.DeadlineExceeded && ctx.Err() == nil, err)

	usage, err := service.GetCreditUsage(ctx, &credits.GetCreditUsageRequest{UserId: peer.user})
	check("the connection is still open", err == nil && usage.AnnualBudget == 10, usage, err)
}

// hangUp closes a connection with a call in flight.
func hangUp(ctx context.Context, peer peer) {
	client := connect(peer.socket)
	ended := make(chan error, 1)
	go func() {
		_, err := credits.NewCreditServiceClient(client).ReserveCredits(ctx,
			&credits.ReserveCreditsRequest{
				UserId: peer.slow, ReservationId: reservation, Credits: 1})
		ended <- err
	}()
	// The request for the metrics is a call, too.
	check("a slow call is in flight", shows(ctx, peer.socket, "ttrpc_server_calls_in_flight 2"))
	client.Close()
	err := <-ended
	check("closing the connection ends the call for the client", errors.Is(err, ttrpc.ErrClosed), err)
	check("closing the connection cancels the call in the server",
		shows(ctx, peer.socket, "ttrpc_server_calls_in_flight 1") &&
			shows(ctx, peer.socket,
				`code="CANCELLED",method="mockups.v1.CreditService/ReserveCredits"} 1`))
}

// shows waits until the server's metrics have a line that ends with the given text.
func shows(ctx context.Context, socket string, line string) bool {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}
	client := http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
	for ctx.Err() == nil {
		request, _ := http.NewRequestWithContext(ctx, "GET", "http://mockupd/metrics", nil)
		if response, err := client.Do(request); err == nil {
			text, _ := io.ReadAll(response.Body)
			response.Body.Close()
			if strings.Contains(string(text), line+"\n") {
				return true
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	return false
}
