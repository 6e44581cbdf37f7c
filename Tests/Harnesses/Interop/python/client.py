"""Calls mockupd with grpcio. scripts/interop runs it.

It prints a line for each check, and exits with 1 if one of them fails.

usage: client.py calls SOCKET USER SLOW-USER TRACE-ID
       client.py denied SOCKET USER
"""

import sys
import uuid

import grpc

from google.rpc import error_details_pb2, status_pb2
from mockups.v1 import credits_pb2, credits_pb2_grpc, mockups_pb2, mockups_pb2_grpc

RESERVATION = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
NOBODY = "00000000-0000-4000-8000-000000000000"
# The timeout in seconds of the calls that are not meant to time out.
PATIENCE = 900

failed = False


def check(what, holds, *got):
    """Prints whether a check holds, and the values it has seen if it does not."""
    global failed
    if holds:
        print("ok  ", what, flush=True)
    else:
        failed = True
        print("FAIL", what, *got, flush=True)


def outcome(call, request, timeout=PATIENCE, metadata=None):
    """Returns the response of a call, or the error with which it failed."""
    try:
        return call(request, timeout=timeout, metadata=metadata)
    except grpc.RpcError as error:
        return error


def has_code(result, code):
    return isinstance(result, grpc.RpcError) and result.code() == code


def reserve_request(user, credits, reservation=None):
    return credits_pb2.ReserveCreditsRequest(
        user_id=user, reservation_id=reservation or str(uuid.uuid4()), credits=credits
    )


def spend(service, user):
    """Reserves 3 credits, repeats that call, and commits 2 of them twice."""
    request = reserve_request(user, 3, RESERVATION)
    first = outcome(service.ReserveCredits, request)
    check("credits are reserved", first.success and first.remaining == 7, first)
    again = outcome(service.ReserveCredits, request)
    first.replayed = True
    check("a retry with the same id has the same response, marked as replayed", again == first)

    request = credits_pb2.CommitReservationRequest(
        user_id=user, reservation_id=RESERVATION, credits=2
    )
    first = outcome(service.CommitReservation, request)
    check(
        "a part is committed, and the rest is released",
        (first.committed, first.released, first.remaining) == (2, 1, 8),
        first,
    )
    again = outcome(service.CommitReservation, request)
    first.replayed = True
    check("a retried commit has the same response, marked as replayed", again == first, again)


def refuse(service, user):
    """Makes calls that are refused, with the details of the refusals."""
    short = outcome(service.ReserveCredits, reserve_request(user, 9))
    check(
        "insufficient credits are a response with the number of available credits",
        not short.success
        and short.message == "Insufficient credits. 8 remaining."
        and (short.remaining, short.usage.remaining_annual, short.usage.total_used) == (8, 8, 2)
        and short.reservation.state == credits_pb2.RESERVATION_STATE_REFUSED,
        short,
    )
    invalid = outcome(service.ReserveCredits, reserve_request(user, -1))
    check(
        "an invalid field is INVALID_ARGUMENT with google.rpc.BadRequest",
        has_code(invalid, grpc.StatusCode.INVALID_ARGUMENT)
        and [violation.field for violation in field_violations(invalid)] == ["credits"],
        invalid,
    )
    unknown = outcome(service.ReserveCredits, reserve_request(NOBODY, 1))
    check("an unknown user is NOT_FOUND", has_code(unknown, grpc.StatusCode.NOT_FOUND), unknown)


def field_violations(error):
    """Returns the field violations in the details of an error's status."""
    trailers = dict(error.trailing_metadata())
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    bad_request = error_details_pb2.BadRequest()
    for detail in status.details:
        if detail.Unpack(bad_request):
            return bad_request.field_violations
    return []


def export(service, user):
    """Adds two entries to the ledger, and streams all three."""
    for _ in range(2):
        reserved = outcome(service.ReserveCredits, reserve_request(user, 1))
        outcome(
            service.CommitReservation,
            credits_pb2.CommitReservationRequest(
                user_id=user, reservation_id=reserved.reservation.reservation_id
            ),
        )
    request = credits_pb2.ExportCreditUsageRequest(user_id=user)
    responses = list(service.ExportCreditUsage(request, timeout=PATIENCE))
    entries = [entry for response in responses for entry in response.entries]
    check(
        "the export streams the ledger, the oldest entry first",
        [(entry.sequence, entry.credits, entry.balance_after) for entry in entries]
        == [(1, 2, 8), (2, 1, 7), (3, 1, 6)],
        responses,
    )
    request.resume_token = responses[-1].resume_token
    rest = list(service.ExportCreditUsage(request, timeout=PATIENCE))
    check("the export continues after its last token, with no entry", rest == [], rest)


def watch(service, user, trace):
    """Cancels a watch. The script checks that the server logs the end of the call."""
    changes = service.WatchMockups(
        mockups_pb2.WatchMockupsRequest(user_id=user),
        metadata=[("traceparent", f"00-{trace}-00f067aa0ba902b7-01")],
    )
    first = next(changes)
    check("a watch begins with a token", first.resume_token and not first.HasField("mockup"), first)
    changes.cancel()
    try:
        ended = next(changes)
    except grpc.RpcError as error:
        ended = error
    check("a cancelled watch ends", has_code(ended, grpc.StatusCode.CANCELLED), ended)


def run_out_of_time(service, user, slow):
    """Makes a call that exceeds its deadline, and a call after it."""
    late = outcome(service.ReserveCredits, reserve_request(slow, 1), timeout=0.2)
    check("the deadline ends a call", has_code(late, grpc.StatusCode.DEADLINE_EXCEEDED), late)
    usage = outcome(service.GetCreditUsage, credits_pb2.GetCreditUsageRequest(user_id=user))
    check("the next call succeeds", usage.total_used == 4 and usage.held == 0, usage)


def be_denied(service, user):
    denied = outcome(service.ReserveCredits, reserve_request(user, 1))
    check(
        "a caller without the role is PERMISSION_DENIED",
        has_code(denied, grpc.StatusCode.PERMISSION_DENIED),
        denied,
    )


def main():
    match sys.argv[1:]:
        case ["calls", socket, user, slow, trace]:
            with grpc.insecure_channel(f"unix:{socket}") as channel:
                credits = credits_pb2_grpc.CreditServiceStub(channel)
                spend(credits, user)
                refuse(credits, user)
                export(credits, user)
                watch(mockups_pb2_grpc.MockupServiceStub(channel), user, trace)
                run_out_of_time(credits, user, slow)
        case ["denied", socket, user]:
            with grpc.insecure_channel(f"unix:{socket}") as channel:
                be_denied(credits_pb2_grpc.CreditServiceStub(channel), user)
        case _:
            sys.exit(__doc__)
    sys.exit(failed)


if __name__ == "__main__":
    main()
