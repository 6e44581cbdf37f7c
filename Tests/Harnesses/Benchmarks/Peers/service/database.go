package service

import (
	"context"
	"errors"

	"github.com/jackc/pgconn"
	"github.com/jackc/pgx/v4"
	"github.com/jackc/pgx/v4/pgxpool"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Statements are SQL statements by name, prepared on each connection. Each is a transaction.
type Statements map[string]string

// Own has the statements for the schema of peer.sql, which is written for such a service.
var Own = Statements{
	"reserve": "SELECT success, remaining, message, replayed FROM peer.reserve($1, $2, $3, $4, $5)",
	"commit":  "SELECT committed, released, remaining, replayed FROM peer.commit($1, $2, $3)",
	"usage": "SELECT annual_budget, monthly_soft_limit, generation, regeneration, held, " +
		"monthly_used FROM peer.usage($1)",
}

// Engine has a statement for mockupd's schema that makes one reservation, with the same guarantees
// and the same response but without batches. It supports only reservations.
var Engine = Statements{
	"reserve": "SELECT outcome = 'admitted', ((usage).annual_budget - (usage).generation" +
		" - (usage).regeneration + (usage).refund - (usage).held)::integer, outcome, replayed" +
		" FROM mockupd.reserve(now(), ARRAY[$1::uuid], ARRAY[$2::uuid], ARRAY[$3::integer]," +
		" ARRAY[$4::text], ARRAY[$5::integer], ARRAY[NULL::uuid], ARRAY[NULL::uuid]," +
		" ARRAY['normal'])",
}

// Connect opens a pool of connections to a database with the statements prepared.
func Connect(
	ctx context.Context, url string, statements Statements, connections int,
) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.MaxConns = int32(connections)
	config.AfterConnect = func(ctx context.Context, connection *pgx.Conn) error {
		for name, sql := range statements {
			if _, err := connection.Prepare(ctx, name, sql); err != nil {
				return err
			}
		}
		return nil
	}
	return pgxpool.ConnectConfig(ctx, config)
}

// statusOf returns the status of a call whose statement failed.
func statusOf(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return status.FromContextError(ctx.Err()).Err()
	}
	var failure *pgconn.PgError
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return status.Error(codes.NotFound, "the user is unknown")
	case !errors.As(err, &failure):
		return status.Error(codes.Unavailable, "the database is unreachable")
	}
	switch failure.Code {
	case "P0002": // no_data_found
		return status.Error(codes.NotFound, failure.Message)
	case "23505": // unique_violation
		return status.Error(codes.AlreadyExists, failure.Message)
	case "55000": // object_not_in_prerequisite_state
		return status.Error(codes.FailedPrecondition, failure.Message)
	default:
		return status.Error(codes.Internal, failure.Message)
	}
}
