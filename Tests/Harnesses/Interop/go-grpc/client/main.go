// Client calls mockupd with grpc-go. It prints a line for each check, and exits with 1 if one of
// them fails. scripts/interop runs it.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/golang/protobuf/proto"
	"github.com/google/uuid"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	mockups "mockups/v1"
)

const (
	reservation = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
	nobody      = "00000000-0000-4000-8000-000000000000"
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

const usage = `usage: client calls SOCKET USER SLOW-USER TRACE-ID
       client denied SOCKET USER`

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	arguments := os.Args[1:]
	switch {
	case len(arguments) == 5 && arguments[0] == "calls":
		user, slow, trace := arguments[2], arguments[3], arguments[4]
		connection := connect(arguments[1])
		service := mockups.NewCreditServiceClient(connection)
		spend(ctx, service, user)
		refuse(ctx, service, user)
		export(ctx, service, user)
		watch(ctx, mockups.NewMockupServiceClient(connection), user, trace)
		runOutOfTime(ctx, service, user, slow)
	case len(arguments) == 3 && arguments[0] == "denied":
		_, err := mockups.NewCreditServiceClient(connect(arguments[1])).ReserveCredits(ctx,
			reserveRequest(arguments[2], 1))
		check("a caller without the role is PermissionDenied",
			status.Code(err) == codes.PermissionDenied, err)
	default:
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(64)
	}
	if failed {
		os.Exit(1)
	}
}

func connect(socket string) *grpc.ClientConn {
	connection, err := grpc.Dial("unix:"+socket, grpc.WithInsecure())
	if err != nil {
		fmt.Fprintln(os.Stderr, "client:", err)
		os.Exit(1)
	}
	return connection
}

func reserveRequest(user string, credits int32) *mockups.ReserveCreditsRequest {
	return &mockups.ReserveCreditsRequest{
		UserId: user, ReservationId: uuid.NewString(), Credits: credits}
}

// spend reserves 3 credits, repeats that call, and commits 2 of them twice.
func spend(ctx context.Context, service mockups.CreditServiceClient, user string) {
	request := &mockups.ReserveCreditsRequest{UserId: user, ReservationId: reservation, Credits: 3}
	reserved, err := service.ReserveCredits(ctx, request)
	check("credits are reserved",
		err == nil && reserved.Success && reserved.Remaining == 7, reserved, err)
	again, err := service.ReserveCredits(ctx, request)
	if reserved != nil {
		reserved.Replayed = true
	}
	check("a retry with the same id has the same response, marked as replayed",
		err == nil && proto.Equal(again, reserved), again, err)

	commit := &mockups.CommitReservationRequest{
		UserId: user, ReservationId: reservation,
		CreditsToCommit: &mockups.CommitReservationRequest_Credits{Credits: 2},
	}
	committed, err := service.CommitReservation(ctx, commit)
	check("a part is committed, and the rest is released",
		err == nil && committed.Committed == 2 && committed.Released == 1 && committed.Remaining == 8,
		committed, err)
	repeated, err := service.CommitReservation(ctx, commit)
	if committed != nil {
		committed.Replayed = true
	}
	check("a retried commit has the same response, marked as replayed",
		err == nil && proto.Equal(repeated, committed), repeated, err)
}

// refuse makes calls that are refused, and reads the details of the refusals.
func refuse(ctx context.Context, service mockups.CreditServiceClient, user string) {
	short, err := service.ReserveCredits(ctx, reserveRequest(user, 9))
	check("insufficient credits are a response with the number of available credits",
		err == nil && !short.Success && short.Message == "Insufficient credits. 8 remaining." &&
			short.Remaining == 8 && short.Usage.RemainingAnnual == 8 && short.Usage.TotalUsed == 2 &&
			short.Reservation.State == mockups.ReservationState_RESERVATION_STATE_REFUSED,
		short, err)

	_, err = service.ReserveCredits(ctx, reserveRequest(user, -1))
	check("an invalid field is InvalidArgument with google.rpc.BadRequest",
		status.Code(err) == codes.InvalidArgument && violates(err, "credits"), err)

	_, err = service.ReserveCredits(ctx, reserveRequest(nobody, 1))
	check("an unknown user is NotFound", status.Code(err) == codes.NotFound, err)
}

// violates reports whether the details of an error name exactly one field.
func violates(err error, field string) bool {
	for _, detail := range status.Convert(err).Details() {
		if request, ok := detail.(*errdetails.BadRequest); ok {
			return len(request.FieldViolations) == 1 && request.FieldViolations[0].Field == field
		}
	}
	return false
}

// export adds two entries to the ledger, and streams all three.
func export(ctx context.Context, service mockups.CreditServiceClient, user string) {
	for number := 0; number < 2; number++ {
		request := reserveRequest(user, 1)
		_, err := service.ReserveCredits(ctx, request)
		if err == nil {
			_, err = service.CommitReservation(ctx, &mockups.CommitReservationRequest{
				UserId: user, ReservationId: request.ReservationId})
		}
		check("a credit is spent", err == nil, err)
	}
	entries, token, err := exported(ctx, service, &mockups.ExportCreditUsageRequest{UserId: user})
	var balances []int32
	for _, entry := range entries {
		balances = append(balances, entry.BalanceAfter)
	}
	check("the export streams the ledger, the oldest entry first",
		err == nil && fmt.Sprint(balances) == "[8 7 6]", entries, err)
	entries, _, err = exported(ctx, service,
		&mockups.ExportCreditUsageRequest{UserId: user, ResumeToken: token})
	check("the export continues after its last token, with no entry",
		err == nil && len(entries) == 0, entries, err)
}

// exported returns the entries of an export, and its last token.
func exported(
	ctx context.Context, service mockups.CreditServiceClient,
	request *mockups.ExportCreditUsageRequest,
) (entries []*mockups.CreditUsageEntry, token string, err error) {
	stream, err := service.ExportCreditUsage(ctx, request)
	for err == nil {
		var response *mockups.ExportCreditUsageResponse
		if response, err = stream.Recv(); err == nil {
			entries = append(entries, response.Entries...)
			token = response.ResumeToken
		}
	}
	if err == io.EOF {
		err = nil
	}
	return entries, token, err
}

// watch cancels a watch. The script checks that the server logs the end of the call.
func watch(ctx context.Context, service mockups.MockupServiceClient, user, trace string) {
	ctx, cancel := context.WithCancel(metadata.AppendToOutgoingContext(ctx,
		"traceparent", "00-"+trace+"-00f067aa0ba902b7-01"))
	defer cancel()
	changes, err := service.WatchMockups(ctx, &mockups.WatchMockupsRequest{UserId: user})
	if err != nil {
		check("a watch begins", false, err)
		return
	}
	first, err := changes.Recv()
	check("a watch begins with a token",
		err == nil && first.ResumeToken != "" && first.Mockup == nil, first, err)
	cancel()
	_, err = changes.Recv()
	check("a cancelled watch ends", status.Code(err) == codes.Canceled, err)
}

// runOutOfTime makes a call that exceeds its deadline, and a call after it.
func runOutOfTime(
	ctx context.Context, service mockups.CreditServiceClient, user, slow string,
) {
	short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	_, err := service.ReserveCredits(short, reserveRequest(slow, 1))
	check("the deadline ends a call", status.Code(err) == codes.DeadlineExceeded, err)

	usage, err := service.GetCreditUsage(ctx, &mockups.GetCreditUsageRequest{UserId: user})
	check("the next call succeeds", err == nil && usage.TotalUsed == 4 && usage.Held == 0, usage, err)
}
