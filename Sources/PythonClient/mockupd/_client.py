"""The client, and the function that makes one."""

from __future__ import annotations

import dataclasses
import os
import sys
import time
import uuid
from typing import Any, Callable, Iterator, Optional, Sequence, TypeVar, Union

import grpc

from mockups.v1 import (
    admin_pb2_grpc,
    credits_pb2,
    credits_pb2_grpc,
    mockups_pb2,
    mockups_pb2_grpc,
    scenes_pb2_grpc,
)

from ._calls import Calls, RetryPolicy
from ._errors import CallError, ResourceExhausted, Unavailable
from ._reservation import Reservation, Seconds, whole_number

_Value = TypeVar("_Value")

#: A UUID, or its text.
ID = Union[uuid.UUID, str]


def connect(
    socket: Optional[str] = None,
    *,
    timeout: Optional[float] = 30.0,
    retry: RetryPolicy = RetryPolicy(),
    metadata: Sequence[tuple[str, str]] = (),
    wait_for_ready: bool = False,
) -> Client:
    """Returns a client of the server at a Unix socket, which is a context manager.

    The client connects at its first call, and again after the connection was lost. Any number of
    threads can share it.

    socket: the path of the socket; by default $MOCKUPD_SOCKET_PATH or /run/mockupd/mockupd.sock.
    timeout: the limit of a call with its retries, in seconds; None means no limit.
    retry: the policy for retrying calls.
    metadata: pairs of keys and values that are sent with each call.
    wait_for_ready: if true, calls wait for a server that is unreachable, up to their timeout.
    """
    path = socket or os.environ.get("MOCKUPD_SOCKET_PATH") or "/run/mockupd/mockupd.sock"
    channel = grpc.insecure_channel(
        f"unix:{path}",
        options=[
            # Connects again as soon as a call is retried; gRPC's own pauses begin at a second.
            ("grpc.initial_reconnect_backoff_ms", 50),
            # In spite of its name, the time that an attempt to connect may take.
            ("grpc.min_reconnect_backoff_ms", 5000),
            ("grpc.max_reconnect_backoff_ms", 1000),
            # The client retries, with the server's delays.
            ("grpc.enable_retries", 0),
            ("grpc.use_local_subchannel_pool", 1),
        ],
    )
    return Client(channel, Calls(timeout, retry, metadata, wait_for_ready))


class Client:
    """A client of a server. `connect` makes one.

    The attributes `credits`, `mockups`, `scenes` and `admin` are gRPC's stubs, for the calls that
    have no method here; `call` makes such a call with the client's timeout and retries.
    """

    def __init__(self, channel: grpc.Channel, calls: Calls):
        self._channel = channel
        self._calls = calls
        self.credits = credits_pb2_grpc.CreditServiceStub(channel)
        self.mockups = mockups_pb2_grpc.MockupServiceStub(channel)
        self.scenes = scenes_pb2_grpc.SceneServiceStub(channel)
        self.admin = admin_pb2_grpc.AdminServiceStub(channel)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection, after the commits and releases that other threads wait for."""
        self._calls.wait_for_shielded()
        self._channel.close()

    def call(self, method: Callable[..., _Value], request: Any, *, retry: bool = True) -> _Value:
        """Makes a call with a single response, for example:

            m.call(m.mockups.GetMockup, GetMockupRequest(user_id=user, mockup_id=mockup))

        Pass retry=False for ClaimMockups, the only method that is not idempotent. Raises CallError.
        """
        return self._calls.unary(
            method, request, timeout=self._calls.timeout, attempts=None if retry else 1
        )

    def reservation(
        self,
        user: ID,
        credits: int,
        *,
        id: Optional[ID] = None,
        operation: credits_pb2.Operation = credits_pb2.OPERATION_GENERATION,
        time_to_live: Optional[Seconds] = None,
        mockup: Optional[ID] = None,
        group: Optional[ID] = None,
        dispatched: bool = False,
        resume_dispatched: bool = False,
        keep_alive: bool = False,
    ) -> Reservation:
        """Returns a context manager that reserves credits, and settles them after the block.

        id: the idempotency key of the whole run, if it may run again; None makes an id.
        operation: OPERATION_GENERATION or OPERATION_REGENERATION.
        time_to_live: the time until the reservation expires, up to 24 hours; None means 15 minutes.
        mockup: a mockup of the user that the credits are for.
        group: the id of a group of reservations that can be released together.
        dispatched: dispatches the reservation before the block runs. Set it if the block calls the
            vendor.
        resume_dispatched: also runs the block if an earlier run with the same id dispatched the
            reservation and did not settle it. The block then has to find out whether the vendor
            has charged.
        keep_alive: extends the reservation regularly while the block runs.
        """
        request = credits_pb2.ReserveCreditsRequest(
            user_id=str(user),
            credits=whole_number("credits", credits),
            reservation_id=str(id or ""),
            operation=operation,
            mockup_id=str(mockup or ""),
            group_id=str(group or ""),
        )
        return Reservation(
            self._calls,
            self.credits,
            request,
            time_to_live=time_to_live,
            dispatched=dispatched,
            resume_dispatched=resume_dispatched,
            keep_alive=keep_alive,
        )

    def get_reservation(self, user: ID, id: ID) -> credits_pb2.Reservation:
        """Returns a reservation in its current state. Raises CallError."""
        request = credits_pb2.GetReservationRequest(user_id=str(user), reservation_id=str(id))
        return self.call(self.credits.GetReservation, request).reservation

    def usage(
        self, user: ID, *, year: int = 0, month: int = 0
    ) -> credits_pb2.GetCreditUsageResponse:
        """Returns a user's credits in a year and a month; 0 is the current one.

        Raises CallError.
        """
        request = credits_pb2.GetCreditUsageRequest(user_id=str(user), year=year, month=month)
        return self.call(self.credits.GetCreditUsage, request)

    def ledger(self, user: ID, *, year: int = 0) -> Iterator[credits_pb2.CreditUsageEntry]:
        """Iterates over a user's ledger, the oldest entry first; year 0 means all years.

        Continues after the last entry if the server becomes unavailable. Raises CallError.
        """
        request = credits_pb2.ExportCreditUsageRequest(user_id=str(user), year=year)
        attempt = 1
        while True:
            stream = self.credits.ExportCreditUsage(request, **self._calls.options)
            try:
                for response in stream:
                    yield from response.entries
                    request.resume_token = response.resume_token
                    attempt = 1
                return
            except grpc.RpcError as failure:
                error = CallError.of(failure)
            finally:
                stream.cancel()
            pause = self._calls.retry.pause(attempt, error)
            if pause is None:
                raise error
            time.sleep(pause)
            attempt += 1

    def watch(
        self, user: ID, resume_token: str = "", *, start_with_current: bool = False
    ) -> Iterator[mockups_pb2.WatchMockupsResponse]:
        """Iterates over the changes of a user's mockups, and waits for the next one.

        The first response has only a `resume_token`. The latest state of every mockup is delivered;
        of changes in quick succession, possibly only the last. If the server becomes unavailable,
        the watch continues after the last response. It ends when the iterator is closed. Raises
        CallError.

        resume_token: continues after the response that had this token.
        start_with_current: begins with the current state of every mockup, if there is no token.
        """
        has_begun = False
        attempt = 0
        while True:
            attempt += 1
            count = 0
            stream = self.mockups.WatchMockups(
                mockups_pb2.WatchMockupsRequest(
                    user_id=str(user),
                    resume_token=resume_token,
                    send_current=start_with_current and not resume_token,
                ),
                **self._calls.options,
            )
            try:
                for response in stream:
                    count += 1
                    if count > 1:
                        attempt = 1
                    resume_token = response.resume_token
                    if not has_begun or response.mockup.mockup_id or response.deleted_mockup_id:
                        yield response
                    has_begun = True
                error: CallError = Unavailable("the watch has ended")
            except grpc.RpcError as failure:
                error = CallError.of(failure)
            finally:
                stream.cancel()
            if isinstance(error, ResourceExhausted) and count:
                # The reader was too slow. The watch continues after the last response.
                error = Unavailable(error.message)
            policy = self._calls.retry
            if has_begun and policy.attempts > 1:
                # The number of restarts is not limited after the watch has begun.
                policy = dataclasses.replace(policy, attempts=sys.maxsize)
            pause = policy.pause(attempt, error)
            if pause is None:
                raise error
            time.sleep(pause)
