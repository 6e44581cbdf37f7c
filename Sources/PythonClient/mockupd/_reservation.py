"""The context manager that holds credits while a block runs."""

from __future__ import annotations

import datetime
import logging
import math
import operator
import os
import threading
import time
import uuid
from typing import Any, Optional, Union

from mockups.v1 import credits_pb2, credits_pb2_grpc

from ._calls import Calls
from ._errors import (
    CallError,
    FailedPrecondition,
    InsufficientCredits,
    MockupdError,
    NotCharged,
    ReservationAlreadyUsed,
)

_log = logging.getLogger("mockupd")

#: A time in seconds, or a timedelta.
Seconds = Union[float, datetime.timedelta]


class Reservation:
    """A reservation of credits, held while the block of a `with` statement runs.

    The credits are reserved before the block runs. If too few are available, InsufficientCredits
    is raised. If an earlier run has used the id, the block runs only if the reservation is still
    held; otherwise ReservationAlreadyUsed is raised. The reservation is first extended by the time
    to live. Two concurrent runs with one id may both find it held; with `dispatched`, and without
    `resume_dispatched`, only one of them runs its block.

    The end of the block commits `spent` credits, or all of them, and releases the rest. The commit
    is retried while the server is unavailable, for up to the client's timeout, and
    KeyboardInterrupt does not end it. If it fails, CallError is raised, and
    `Client.get_reservation` returns the state of the reservation.

    If the block raises an exception, the credits are released, and the exception continues. If the
    reservation is dispatched, the vendor may have charged: the credits then stay held until a late
    commit or an administrator settles the reservation, unless the exception is NotCharged. If the
    process ends, a reservation that is not dispatched expires.
    """

    def __init__(
        self,
        calls: Calls,
        credits: credits_pb2_grpc.CreditServiceStub,
        request: credits_pb2.ReserveCreditsRequest,
        *,
        time_to_live: Optional[Seconds],
        dispatched: bool,
        resume_dispatched: bool,
        keep_alive: bool,
    ):
        self._calls = calls
        self._credits = credits
        self._request = request
        self._has_generated_id = not request.reservation_id
        if self._has_generated_id:
            request.reservation_id = new_id()
        request.time_to_live_seconds = _whole_seconds(time_to_live)
        self._dispatches = dispatched
        self._resumes_dispatched = resume_dispatched
        self._keeps_alive = keep_alive
        self._is_dispatched = False
        self._block_has_ended = threading.Event()

        #: The id of the reservation, which is also the idempotency key of the block.
        self.id: str = request.reservation_id
        #: The user that the credits belong to.
        self.user: str = request.user_id
        #: The number of held credits.
        self.credits: int = request.credits
        #: True if an earlier run reserved the credits under the same id and did not settle them.
        self.is_resumed = False
        #: The time at which the reservation expires, unless it is extended; None before the block.
        self.expires_at: Optional[datetime.datetime] = None
        #: True if the credits used and held in the month exceed the month's soft limit.
        self.soft_limit_passed = False
        self._spent: Optional[int] = None
        #: The response to the commit; set when the block has ended.
        self.outcome: Optional[credits_pb2.CommitReservationResponse] = None

    @property
    def spent(self) -> Optional[int]:
        """The number of credits that the block has spent; None means all. The block sets it."""
        return self._spent

    @spent.setter
    def spent(self, credits: Optional[int]) -> None:
        # Checked here, because a commit with an invalid number would fail after the work is done.
        if credits is not None:
            credits = whole_number("spent", credits)
            if not 0 <= credits < 2**31:
                raise ValueError(f"spent {credits} is not between 0 and {2**31 - 1}")
        self._spent = credits

    def __enter__(self) -> Reservation:
        try:
            self._hold()
            if self._dispatches and not self._is_dispatched:
                self._dispatch()
        except MockupdError:
            raise
        except BaseException:
            # Interrupted, possibly by the exception of a signal handler: whether the credits are
            # held is unknown. Another run can only continue under an id that it knows.
            if self._has_generated_id:
                self._undo()
            raise
        if self._keeps_alive:
            threading.Thread(target=self._extend_regularly, name="mockupd", daemon=True).start()
        return self

    def __exit__(self, _: Any, error: Optional[BaseException], __: Any) -> None:
        self._block_has_ended.set()
        if error is None:
            self.outcome = self._calls.shielded(
                self._commit, retry_time=self._calls.bounded_timeout
            )
        elif isinstance(error, NotCharged):
            self._release_ignoring_errors(retry_time=self._calls.bounded_timeout)
        elif not self._is_dispatched:
            self._release_ignoring_errors()

    # Before the block ---------------------------------------------------------------------------

    def _hold(self) -> None:
        """Reserves the credits, or finds the reservation of an earlier run."""
        calls = self._calls
        reserved = calls.unary(self._credits.ReserveCredits, self._request, timeout=calls.timeout)
        if not reserved.success:
            raise InsufficientCredits(reserved.message, reserved.remaining)
        reservation = reserved.reservation
        if reserved.replayed:
            # The replay is the first response, so the current state has to be read.
            reservation = self._current()
            self._is_dispatched = reservation.state == credits_pb2.RESERVATION_STATE_DISPATCHED
            is_held = reservation.state == credits_pb2.RESERVATION_STATE_HELD
            if not is_held and not (self._is_dispatched and self._resumes_dispatched):
                raise ReservationAlreadyUsed(reservation)
            self.is_resumed = True
            if not self._has_generated_id:
                reservation = self._extend_found()
        self.credits = reservation.held
        self.expires_at = reservation.expires_at.ToDatetime(datetime.timezone.utc)
        self.soft_limit_passed = reserved.usage.soft_limit_passed

    def _extend_found(self) -> credits_pb2.Reservation:
        """Extends the reservation of an earlier run, which may have used up its time to live."""
        try:
            return self._extend().reservation
        except FailedPrecondition:
            # It has expired meanwhile, or another run has settled it.
            raise ReservationAlreadyUsed(self._current()) from None

    def _current(self) -> credits_pb2.Reservation:
        request = credits_pb2.GetReservationRequest(user_id=self.user, reservation_id=self.id)
        calls = self._calls
        return calls.unary(
            self._credits.GetReservation, request, timeout=calls.timeout
        ).reservation

    def _dispatch(self) -> None:
        """Tells the server that the vendor is about to be called."""
        request = credits_pb2.DispatchReservationRequest(user_id=self.user, reservation_id=self.id)
        try:
            response = self._calls.unary(
                self._credits.DispatchReservation, request, timeout=self._calls.timeout
            )
        except CallError:
            # This run has not called the vendor. Another run with the same id may have.
            if self._has_generated_id:
                self._release_ignoring_errors()
            raise
        # Another run has dispatched it, or the response to this run's first attempt was lost. The
        # two cases can be told apart only if no other run has the id.
        may_be_of_other_run = response.replayed and not self._has_generated_id
        if may_be_of_other_run and not self._resumes_dispatched:
            raise ReservationAlreadyUsed(response.reservation)
        self._is_dispatched = True

    def _undo(self) -> None:
        """Releases the credits of a request whose outcome is unknown.

        The request may still be in flight, so it is sent again first. The response says whether
        there is a reservation to release.
        """

        def undo() -> None:
            calls = self._calls
            if calls.unary(
                self._credits.ReserveCredits, self._request, timeout=calls.bounded_timeout
            ).success:
                self._release()

        try:
            self._calls.shielded(undo)
        except CallError as error:
            _log.warning("cannot release reservation %s: %s", self.id, error)

    # While the block runs -----------------------------------------------------------------------

    def _extend(self) -> credits_pb2.ExtendReservationResponse:
        request = credits_pb2.ExtendReservationRequest(
            user_id=self.user,
            reservation_id=self.id,
            time_to_live_seconds=self._request.time_to_live_seconds,
        )
        return self._calls.unary(
            self._credits.ExtendReservation, request, timeout=self._calls.timeout
        )

    def _extend_regularly(self) -> None:
        """Extends the reservation at every third of its time to live, until the block ends."""
        while not self._block_has_ended.wait((self._request.time_to_live_seconds or 900) / 3):
            try:
                self._extend()
            except CallError as error:
                # The next extension makes up for one that fails.
                _log.debug("cannot extend reservation %s: %s", self.id, error)

    # After the block ----------------------------------------------------------------------------

    def _commit(self) -> credits_pb2.CommitReservationResponse:
        request = credits_pb2.CommitReservationRequest(user_id=self.user, reservation_id=self.id)
        if self._spent is not None:
            request.credits = self._spent
        return self._calls.unary(
            self._credits.CommitReservation, request, timeout=self._calls.bounded_timeout
        )

    def _release(self) -> None:
        request = credits_pb2.ReleaseReservationRequest(user_id=self.user, reservation_id=self.id)
        self._calls.unary(
            self._credits.ReleaseReservation, request, timeout=self._calls.bounded_timeout
        )

    def _release_ignoring_errors(self, retry_time: float = 0) -> None:
        """Releases the credits. If that fails, a reservation that is not dispatched expires."""
        try:
            self._calls.shielded(self._release, retry_time=retry_time)
        except CallError as error:
            _log.warning("cannot release reservation %s: %s", self.id, error)


def new_id() -> str:
    """Returns a UUID of version 7, which is ordered by time."""
    milliseconds = time.time_ns() // 1_000_000
    number = milliseconds << 80 | int.from_bytes(os.urandom(10), "big")
    number = number & ~(0xF << 76) | 0x7 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=number))


def whole_number(name: str, value: Any) -> int:
    """Returns an integer of any library as an int; raises TypeError for other types and bool."""
    if not isinstance(value, bool):
        try:
            return operator.index(value)
        except TypeError:
            pass
    raise TypeError(f"{name} {value!r} is not an integer")


def _whole_seconds(time_to_live: Optional[Seconds]) -> int:
    """Rounds a time up to whole seconds; None becomes 0, the server's default."""
    if time_to_live is None:
        return 0
    if isinstance(time_to_live, datetime.timedelta):
        time_to_live = time_to_live.total_seconds()
    if time_to_live <= 0:
        raise ValueError(f"time_to_live {time_to_live} is not positive")
    return math.ceil(time_to_live)
