"""Reserves credits, commits them, and waits until one of the user's mockups is completed."""

import sys
import time
import uuid

import grpc

from mockups.v1 import credits_pb2, credits_pb2_grpc, mockups_pb2, mockups_pb2_grpc


def retry(call, request, attempts=8):
    """Makes an idempotent call, and makes it again while the server is unavailable."""
    for attempt in range(1, attempts + 1):
        try:
            return call(request, timeout=10)
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNAVAILABLE or attempt == attempts:
                raise
        time.sleep(0.05 * 2**attempt)


def spend(channel, user):
    credits = credits_pb2_grpc.CreditServiceStub(channel)
    # Store the id with the work: after a crash, the next run continues with the same id.
    reservation = str(uuid.uuid4())
    reserved = retry(
        credits.ReserveCredits,
        credits_pb2.ReserveCreditsRequest(user_id=user, reservation_id=reservation, credits=3),
    )
    if not reserved.success:
        sys.exit(reserved.message)
    print(f"reserved {reserved.granted} credits")

    # The paid work happens here. The vendor charged 2 credits; the commit releases the third.
    committed = retry(
        credits.CommitReservation,
        credits_pb2.CommitReservationRequest(user_id=user, reservation_id=reservation, credits=2),
    )
    print(f"committed {committed.committed} credits, {committed.remaining} remaining")


def watch(channel, user):
    mockups = mockups_pb2_grpc.MockupServiceStub(channel)
    changes = mockups.WatchMockups(mockups_pb2.WatchMockupsRequest(user_id=user, send_current=True))
    for change in changes:
        if change.mockup.status == mockups_pb2.MOCKUP_STATUS_COMPLETED:
            print(f"{change.mockup.scene}: {change.mockup.file_url}")
            changes.cancel()
            return


if __name__ == "__main__":
    socket, user = sys.argv[1:]
    with grpc.insecure_channel(f"unix:{socket}") as channel:
        spend(channel, user)
        watch(channel, user)
