"""The exceptions of this package."""

from __future__ import annotations

from typing import Optional

import grpc
from google.rpc import error_details_pb2, status_pb2

from mockups.v1 import credits_pb2


#: The reason in an error's ErrorInfo if the call certainly had no effect.
_NO_EFFECT = "NO_EFFECT"
#: The beginning of gRPC's message if a call was not sent.
_NOT_CONNECTED = "failed to connect"
#: The codes of calls whose outcome is unknown, unless the error says otherwise.
_UNKNOWN_OUTCOMES = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
)


class MockupdError(Exception):
    """The base class of the exceptions that this package raises."""


class InsufficientCredits(MockupdError):
    """Fewer credits are available than requested. Nothing was reserved."""

    def __init__(self, message: str, remaining: int):
        super().__init__(message)
        #: The number of available credits.
        self.remaining = remaining


class ReservationAlreadyUsed(MockupdError):
    """An earlier run has used the reservation's id, so the block does not run again.

    The reservation was settled, it has expired, or it was dispatched and the vendor may have
    charged.
    """

    def __init__(self, reservation: credits_pb2.Reservation):
        state = credits_pb2.ReservationState.Name(reservation.state)
        message = (
            f"reservation {reservation.reservation_id} is already "
            f"{state.removeprefix('RESERVATION_STATE_')}"
        )
        if reservation.committed:
            message += f": {reservation.committed} of {reservation.granted} credits were committed"
        super().__init__(message)
        #: The reservation in its current state.
        self.reservation = reservation


class NotCharged(MockupdError):
    """Raised by the block of a dispatched reservation if the vendor charged nothing.

    The credits are released, and the exception continues to the caller of the block:

        raise NotCharged("the vendor has no such template") from error
    """


class CallError(MockupdError):
    """A call that failed. The common status codes have subclasses."""

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        retry_delay: Optional[float] = None,
        field_violations: Optional[dict[str, str]] = None,
        reason: Optional[str] = None,
    ):
        super().__init__(f"{code.name}: {message}")
        #: The status code.
        self.code = code
        #: The server's message.
        self.message = message
        #: The seconds after which the server allows a retry; None if it sent no time.
        self.retry_delay = retry_delay
        #: The descriptions of the invalid fields, by their paths.
        self.field_violations = field_violations or {}
        #: The cause for programs (`google.rpc.ErrorInfo`); None if the server sent none.
        self.reason = reason
        self._is_unsent = message.startswith(_NOT_CONNECTED)

    @staticmethod
    def of(error: grpc.RpcError) -> CallError:
        """Returns the exception for a failed call of gRPC."""
        retry_delay, violations, reason = None, {}, None
        for trailer in error.trailing_metadata() or ():
            if trailer.key != "grpc-status-details-bin":
                continue
            for detail in status_pb2.Status.FromString(trailer.value).details:
                retry = error_details_pb2.RetryInfo()
                request = error_details_pb2.BadRequest()
                info = error_details_pb2.ErrorInfo()
                if detail.Unpack(retry):
                    retry_delay = retry.retry_delay.ToTimedelta().total_seconds()
                elif detail.Unpack(request):
                    violations = {v.field: v.description for v in request.field_violations}
                elif detail.Unpack(info):
                    reason = info.reason
        parts = (error.details() or "", retry_delay, violations, reason)
        if error.code() in _CLASSES:
            return _CLASSES[error.code()](*parts)
        return CallError(error.code(), *parts)

    @property
    def may_have_effect(self) -> bool:
        """True if the call may have had an effect: one of its attempts has an unknown outcome."""
        return (
            self.code in _UNKNOWN_OUTCOMES and self.reason != _NO_EFFECT and not self._is_unsent
        )

    def after_attempt(self, attempt: CallError) -> CallError:
        """Returns this error with a message that is also true of an earlier attempt.

        A server that is unavailable or overloaded does not know the outcome of that attempt. Any
        other answer does.
        """
        if attempt.may_have_effect and (self.reason == _NO_EFFECT or self._is_unsent):
            self.reason, self._is_unsent = None, False
            self.message = (
                f"an earlier attempt may have had an effect; the last one: {self.message}"
            )
            self.args = (f"{self.code.name}: {self.message}",)
        return self

    @property
    def is_transient(self) -> bool:
        """True if the same call may succeed later."""
        if isinstance(self, ResourceExhausted):
            # Without a delay, a retry would exceed the same limit again.
            return self.retry_delay is not None
        return self.code in (
            grpc.StatusCode.UNAVAILABLE,
            grpc.StatusCode.DEADLINE_EXCEEDED,
            grpc.StatusCode.CANCELLED,
        )


class _Coded(CallError):
    """An error with the status code of its class."""

    CODE: grpc.StatusCode

    def __init__(
        self,
        message: str,
        retry_delay: Optional[float] = None,
        field_violations: Optional[dict[str, str]] = None,
        reason: Optional[str] = None,
    ):
        super().__init__(self.CODE, message, retry_delay, field_violations, reason)


class InvalidArgument(_Coded):
    """A field of the request is invalid; `field_violations` names it."""

    CODE = grpc.StatusCode.INVALID_ARGUMENT


class NotFound(_Coded):
    """The user is unknown, or has no such reservation, mockup or ledger entry."""

    CODE = grpc.StatusCode.NOT_FOUND


class AlreadyExists(_Coded):
    """The id was used for a different request."""

    CODE = grpc.StatusCode.ALREADY_EXISTS


class FailedPrecondition(_Coded):
    """The reservation or the mockup is in a state that does not allow the call."""

    CODE = grpc.StatusCode.FAILED_PRECONDITION


class PermissionDenied(_Coded):
    """The server's policy does not allow the call to the user of this process."""

    CODE = grpc.StatusCode.PERMISSION_DENIED


class ResourceExhausted(_Coded):
    """The server is overloaded (with a `retry_delay`), or a message is too large."""

    CODE = grpc.StatusCode.RESOURCE_EXHAUSTED


class Unavailable(_Coded):
    """The server or its database is unavailable."""

    CODE = grpc.StatusCode.UNAVAILABLE


class DeadlineExceeded(_Coded):
    """The call had no response within its timeout. Its outcome is unknown."""

    CODE = grpc.StatusCode.DEADLINE_EXCEEDED


_CLASSES = {
    subclass.CODE: subclass
    for subclass in (
        InvalidArgument,
        NotFound,
        AlreadyExists,
        FailedPrecondition,
        PermissionDenied,
        ResourceExhausted,
        Unavailable,
        DeadlineExceeded,
    )
}
