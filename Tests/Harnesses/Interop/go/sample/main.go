// Sample reserves credits, commits them, and waits until one of the user's mockups is completed.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"time"

	"github.com/containerd/ttrpc"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	mockups "mockups/v1"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: sample SOCKET USER")
	}
	server, user := &server{socket: os.Args[1]}, os.Args[2]
	if err := spend(server, user); err != nil {
		log.Fatal(err)
	}
	if err := poll(server, user); err != nil {
		log.Fatal(err)
	}
}

// server connects to mockupd. A ttrpc client does not reconnect: a failed client is replaced.
type server struct {
	socket string
	client *ttrpc.Client
}

// retry makes an idempotent call, and makes it again while the server is unavailable.
func (s *server) retry(call func(context.Context, *ttrpc.Client) error) error {
	for attempt := 1; ; attempt++ {
		err := s.try(call)
		// An error without a status is a connection that failed.
		if _, answered := status.FromError(err); !answered && s.client != nil {
			s.client.Close()
			s.client = nil
		} else if answered && status.Code(err) != codes.Unavailable {
			return err
		}
		if attempt == 8 {
			return err
		}
		time.Sleep(50 * time.Millisecond << attempt)
	}
}

func (s *server) try(call func(context.Context, *ttrpc.Client) error) error {
	if s.client == nil {
		connection, err := net.Dial("unix", s.socket)
		if err != nil {
			return err
		}
		s.client = ttrpc.NewClient(connection)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return call(ctx, s.client)
}

func spend(server *server, user string) error {
	// Store the id with the work: after a crash, the next run continues with the same id.
	reservation := uuid.NewString()
	var reserved *mockups.ReserveCreditsResponse
	err := server.retry(func(ctx context.Context, client *ttrpc.Client) (err error) {
		reserved, err = mockups.NewCreditServiceClient(client).ReserveCredits(ctx,
			&mockups.ReserveCreditsRequest{UserId: user, ReservationId: reservation, Credits: 3})
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
	err = server.retry(func(ctx context.Context, client *ttrpc.Client) (err error) {
		committed, err = mockups.NewCreditServiceClient(client).CommitReservation(ctx,
			&mockups.CommitReservationRequest{
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

// poll lists the completed mockups every second: this version of ttrpc has no streams.
func poll(server *server, user string) error {
	request := &mockups.ListMockupsRequest{
		UserId: user, Status: mockups.MockupStatus_MOCKUP_STATUS_COMPLETED}
	for {
		response := &mockups.ListMockupsResponse{}
		err := server.retry(func(ctx context.Context, client *ttrpc.Client) error {
			return client.Call(ctx, "mockups.v1.MockupService", "ListMockups", request, response)
		})
		if err != nil {
			return err
		}
		for _, mockup := range response.Mockups {
			fmt.Printf("%s: %s\n", mockup.Scene, mockup.FileUrl)
			return nil
		}
		time.Sleep(time.Second)
	}
}
