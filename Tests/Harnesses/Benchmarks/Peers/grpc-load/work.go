package main

import (
	"context"
	cryptorand "crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand"
	"strings"

	"google.golang.org/grpc"

	health "grpc/health/v1"
	mockups "mockups/v1"
)

// call sends one request, and returns an error unless the response is as expected.
type call func(ctx context.Context) error

// works make the call of a caller. Callers do not share calls.
var works = map[string]func(connection *grpc.ClientConn, users int) (call, error){
	"health":  healthWork,
	"reserve": reserveWork,
}

// healthWork makes a health check of 64 bytes, padded by an unknown field, as the load generator
// for ttrpc does.
func healthWork(connection *grpc.ClientConn, _ int) (call, error) {
	padding := strings.Repeat("x", 35)
	request := health.HealthCheckRequest{
		Service:          "mockups.v1.CreditService",
		XXX_unrecognized: append([]byte{0xc2, 0x3e, byte(len(padding))}, padding...), // field 1000
	}
	if size := request.Size(); size != 64 {
		return nil, fmt.Errorf("the health check has %d bytes", size)
	}
	return func(ctx context.Context) error {
		var response health.HealthCheckResponse
		err := connection.Invoke(ctx, "/grpc.health.v1.Health/Check", &request, &response)
		if err == nil && response.Status != health.HealthCheckResponse_SERVING {
			return errors.New(response.Status.String())
		}
		return err
	}, nil
}

// reserveWork reserves one credit of one of the users.
func reserveWork(connection *grpc.ClientConn, users int) (call, error) {
	// Only the seed is from the system: a system call for every id would be part of the measurement.
	var seed [8]byte
	if _, err := cryptorand.Read(seed[:]); err != nil {
		return nil, err
	}
	random := rand.New(rand.NewSource(int64(binary.LittleEndian.Uint64(seed[:]))))

	return func(ctx context.Context) error {
		request := mockups.ReserveCreditsRequest{
			UserId:        fmt.Sprintf("00000000-0000-4000-8000-%012x", random.Intn(users)),
			Credits:       1,
			ReservationId: newID(random),
			Operation:     mockups.Operation_OPERATION_GENERATION,
		}
		var response mockups.ReserveCreditsResponse
		const method = "/mockups.v1.CreditService/ReserveCredits"
		err := connection.Invoke(ctx, method, &request, &response)
		if err == nil && !response.Success {
			return errors.New(response.Message)
		}
		return err
	}, nil
}

// newID returns a random UUID (version 4).
func newID(random *rand.Rand) string {
	high := random.Uint64()&^0xf000 | 0x4000
	low := random.Uint64()&^(0b11<<62) | 0b10<<62
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x",
		high>>32, high>>16&0xffff, high&0xffff, low>>48, low&0xffffffffffff)
}
