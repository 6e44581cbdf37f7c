// Sample reserves credits, commits them, and waits until one of the user's mockups is completed.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	mockups "mockups/v1"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: sample SOCKET USER")
	}
	socket, user := os.Args[1], os.Args[2]
	connection, err := grpc.Dial("unix:"+socket, grpc.WithInsecure())
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	if err := spend(mockups.NewCreditServiceClient(connection), user); err != nil {
		log.Fatal(err)
	}
	if err := watch(mockups.NewMockupServiceClient(connection), user); err != nil {
		log.Fatal(err)
	}
}

// retry makes an idempotent call, and makes it again while the server is unavailable.
func retry(call func(context.Context) error) error {
	for attempt := 1; ; attempt++ {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		err := call(ctx)
		cancel()
		if status.Code(err) != codes.Unavailable || attempt == 8 {
			return err
		}
		time.Sleep(50 * time.Millisecond << attempt)
	}
}

func spend(credits mockups.CreditServiceClient, user string) error {
	// Store the id with the work: after a crash, the next run continues with the same id.
	reservation := uuid.NewString()
	var reserved *mockups.ReserveCreditsResponse
	err := retry(func(ctx context.Context) (err error) {
		reserved, err = credits.ReserveCredits(ctx, &mockups.ReserveCreditsRequest{
			UserId: user, ReservationId: reservation, Credits: 3})
		return err
	})
	if err != nil {
		return err
	}
	if !reserved.Success {
		return fmt.Errorf("cannot reserve: %s", reserved.Message)
	}
	fmt.Printf("reserved %d credits\n", reserved.Granted)

	// The paid work happens here. The vendor charged 2 credits; the commit releases the third.
	var committed *mockups.CommitReservationResponse
	err = retry(func(ctx context.Context) (err error) {
		committed, err = credits.CommitReservation(ctx, &mockups.CommitReservationRequest{
			UserId: user, ReservationId: reservation,
			CreditsToCommit: &mockups.CommitReservationRequest_Credits{Credits: 2}})
		return err
	})
	if err != nil {
		return err
	}
	fmt.Printf("committed %d credits, %d remaining\n", committed.Committed, committed.Remaining)
	return nil
}

func watch(service mockups.MockupServiceClient, user string) error {
	// Ends the stream when the function returns.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	changes, err := service.WatchMockups(ctx,
		&mockups.WatchMockupsRequest{UserId: user, SendCurrent: true})
	if err != nil {
		return err
	}
	for {
		change, err := changes.Recv()
		if err != nil {
			return err
		}
		if mockup := change.Mockup; mockup.GetStatus() == mockups.MockupStatus_MOCKUP_STATUS_COMPLETED {
			fmt.Printf("%s: %s\n", mockup.Scene, mockup.FileUrl)
			return nil
		}
	}
}
