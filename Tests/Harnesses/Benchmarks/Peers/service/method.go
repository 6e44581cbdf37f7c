// Package service answers mockupd's requests in the conventional way, with one call of an SQL
// function for each request. It is independent of the protocol.
package service

import "context"

// Method answers one request, which decode decodes into a message.
type Method func(ctx context.Context, decode func(interface{}) error) (interface{}, error)

// Services are methods by the name of the service and of the method.
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
			// A nil *Response would not be a nil interface.
			return nil, err
		}
		return response, nil
	}
}
