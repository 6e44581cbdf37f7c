// Package service answers mockupd's requests the way a usual team would have it: one call of an SQL
// function for each of them. It knows nothing of the protocol that brings them.
package service

import "context"

// Method answers one request. It is called with what decodes the request into a message.
type Method func(ctx context.Context, decode func(interface{}) error) (interface{}, error)

// Services are methods by the name of their service and their own.
type Services map[string]map[string]Method

func method[Request, Response any](
	answer func(context.Context, *Request) (*Response, error),
) Method {
	return func(ctx context.Context, decode func(interface{}) error) (interface{}, error) {
		request := new(Request)
		if err := decode(request); err != nil {
			return nil, err
		}
		response, err := answer(ctx, request)
		if err != nil {
			// Not the response: a nil pointer would not be a nil interface.
			return nil, err
		}
		return response, nil
	}
}
