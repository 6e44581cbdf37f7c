// Calls a mockupd with containerd's own ttrpc client and the code of containerd's own generator.
// Prints a line for each check, and ends with 1 if one of them fails. Run by scripts/interop.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/containerd/ttrpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	credits "mockups/v1"
)

const (
	reservation = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
	nobody      = "00000000-0000-4000-8000-000000000000"
)

var failed bool

// check prints whether something is as it should be, and what it is where it is not.
func check(what string, ok bool, got ...interface{}) {
	if ok {
		fmt.Println("ok  ", what)
		return
	}
	failed = true
	fmt.Println("FAIL", what, got)
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: interop SOCKET USER, who has a budget of 10 credits and no other call")
		os.Exit(64)
	}
	connection, err := net.Dial("unix", os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		os.Exit(1)
	}
	client := ttrpc.NewClient(connection)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()

	service := credits.NewCreditServiceClient(client)
	spend(ctx, service, os.Args[2])
	refuse(ctx, client, service, os.Args[2])
	callAtOnce(ctx, service, os.Args[2])
	client.Close()
	if failed {
		os.Exit(1)
	}
}

// spend reserves credits, sends that again, commits a part, and reads what is left.
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
	check("the same id has the same answer",
		err == nil && again.Success && again.Remaining == 7 && again.Replayed, again, err)

	committed, err := service.CommitReservation(ctx, &credits.CommitReservationRequest{
		UserId: user, ReservationId: reservation,
		CreditsToCommit: &credits.CommitReservationRequest_Credits{Credits: 2},
	})
	check("a part is committed, and the rest is free",
		err == nil && committed.Committed == 2 && committed.Released == 1 && committed.Remaining == 8,
		committed, err)

	usage, err := service.GetCreditUsage(ctx, &credits.GetCreditUsageRequest{UserId: user})
	check("usage says so",
		err == nil && usage.TotalUsed == 2 && usage.Held == 0 && usage.AnnualBudget == 10 &&
			usage.RemainingAnnual == 8,
		usage, err)

	entries, err := service.ListCreditUsage(ctx, &credits.ListCreditUsageRequest{UserId: user})
	check("the ledger has one entry",
		err == nil && len(entries.Entries) == 1 && entries.Entries[0].Credits == 2 &&
			entries.Entries[0].ReservationId == reservation && entries.NextPageToken == "",
		entries, err)
}

// refuse calls what cannot succeed, on the connection that is used further.
func refuse(
	ctx context.Context, client *ttrpc.Client, service credits.CreditServiceService, user string,
) {
	short, err := service.ReserveCredits(ctx, &credits.ReserveCreditsRequest{
		UserId: user, ReservationId: nobody, Credits: 9})
	check("too few credits are an answer",
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
				check("a call among many", false, err)
			} else if answer.Success {
				admitted++
			}
		}(number)
	}
	group.Wait()
	check("of 200 calls at once as many succeed as there are credits", admitted == 8, admitted)
}
