package service

import (
	"context"
	"time"

	"github.com/jackc/pgtype"
	"github.com/jackc/pgx/v4/pgxpool"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	mockups "mockups/v1"
)

// defaultTimeToLive is the time to live in seconds of a request without one.
const defaultTimeToLive = 900

type credits struct {
	pool *pgxpool.Pool
}

// Credits returns the methods of CreditService that the benchmarks call.
func Credits(pool *pgxpool.Pool) Services {
	c := credits{pool}
	return Services{"mockups.v1.CreditService": {
		"ReserveCredits":    method(c.reserve),
		"CommitReservation": method(c.commit),
		"GetCreditUsage":    method(c.usage),
	}}
}

func (c credits) reserve(
	ctx context.Context, request *mockups.ReserveCreditsRequest,
) (*mockups.ReserveCreditsResponse, error) {
	user, err := uuid("user_id", request.UserId)
	if err != nil {
		return nil, err
	}
	id, err := uuid("reservation_id", request.ReservationId)
	if err != nil {
		return nil, err
	}
	operation, err := operationName(request.Operation)
	if err != nil {
		return nil, err
	}
	timeToLive := request.TimeToLiveSeconds
	switch {
	case timeToLive == 0:
		timeToLive = defaultTimeToLive
	case timeToLive < 0 || timeToLive > 86400:
		return nil, invalid("time_to_live_seconds")
	}
	switch {
	case request.Credits < 1:
		return nil, invalid("credits")
	case request.Mode > mockups.ReserveMode_RESERVE_MODE_NORMAL:
		return nil, status.Error(codes.Unimplemented, "this peer supports only the normal mode")
	}

	response := new(mockups.ReserveCreditsResponse)
	err = c.pool.QueryRow(ctx, "reserve", user, id, request.Credits, operation, timeToLive).
		Scan(&response.Success, &response.Remaining, &response.Message, &response.Replayed)
	if err != nil {
		return nil, statusOf(ctx, err)
	}
	if response.Success {
		response.Granted = request.Credits
	}
	return response, nil
}

func (c credits) commit(
	ctx context.Context, request *mockups.CommitReservationRequest,
) (*mockups.CommitReservationResponse, error) {
	user, err := uuid("user_id", request.UserId)
	if err != nil {
		return nil, err
	}
	id, err := uuid("reservation_id", request.ReservationId)
	if err != nil {
		return nil, err
	}
	var amount *int32 // nil: all that the reservation holds
	if choice, ok := request.CreditsToCommit.(*mockups.CommitReservationRequest_Credits); ok {
		if choice.Credits < 1 {
			return nil, invalid("credits")
		}
		amount = &choice.Credits
	}
	if (request.Finality != nil && !request.GetFinal()) || request.AllowOverrun {
		return nil, status.Error(codes.Unimplemented,
			"this peer supports only a final commit without overrun")
	}

	response := new(mockups.CommitReservationResponse)
	err = c.pool.QueryRow(ctx, "commit", user, id, amount).
		Scan(&response.Committed, &response.Released, &response.Remaining, &response.Replayed)
	if err != nil {
		return nil, statusOf(ctx, err)
	}
	return response, nil
}

func (c credits) usage(
	ctx context.Context, request *mockups.GetCreditUsageRequest,
) (*mockups.GetCreditUsageResponse, error) {
	user, err := uuid("user_id", request.UserId)
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC()
	response := &mockups.GetCreditUsageResponse{Year: int32(now.Year()), Month: int32(now.Month())}
	if (request.Year != 0 && request.Year != response.Year) ||
		(request.Month != 0 && request.Month != response.Month) {
		return nil, status.Error(codes.Unimplemented, "this peer supports only the current month")
	}

	err = c.pool.QueryRow(ctx, "usage", user).Scan(
		&response.AnnualBudget, &response.MonthlySoftLimit,
		&response.Generation, &response.Regeneration, &response.Held, &response.MonthlyUsed)
	if err != nil {
		return nil, statusOf(ctx, err)
	}
	response.TotalUsed = response.Generation + response.Regeneration
	response.RemainingAnnual =
		notNegative(response.AnnualBudget - response.TotalUsed - response.Held)
	response.RemainingMonthly = notNegative(response.MonthlySoftLimit - response.MonthlyUsed)
	response.SoftLimitPassed = response.MonthlyUsed > response.MonthlySoftLimit
	return response, nil
}

func operationName(operation mockups.Operation) (string, error) {
	switch operation {
	case mockups.Operation_OPERATION_UNSPECIFIED, mockups.Operation_OPERATION_GENERATION:
		return "generation", nil
	case mockups.Operation_OPERATION_REGENERATION:
		return "regeneration", nil
	default:
		return "", invalid("operation")
	}
}

func uuid(field, text string) (pgtype.UUID, error) {
	var id pgtype.UUID
	if err := id.Set(text); err != nil {
		return id, invalid(field)
	}
	return id, nil
}

func invalid(field string) error {
	return status.Errorf(codes.InvalidArgument, "invalid %s", field)
}

func notNegative(value int64) int64 {
	if value < 0 {
		return 0
	}
	return value
}
