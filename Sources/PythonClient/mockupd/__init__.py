"""A client of mockupd, the server that keeps a ledger of credits.

    with mockupd.connect() as m:
        with m.reservation(user, credits=3, id=job.id) as r:
            pictures = render(reference=r.id)
            r.spent = len(pictures)

`Client` describes the calls, and `Reservation` what happens at the end of the block. The messages
are those of `mockups.v1`, generated from the server's .proto files.
"""

from ._calls import RetryPolicy
from ._client import Client, connect
from ._errors import (
    AlreadyExists,
    CallError,
    DeadlineExceeded,
    FailedPrecondition,
    InsufficientCredits,
    InvalidArgument,
    MockupdError,
    NotCharged,
    NotFound,
    PermissionDenied,
    ReservationAlreadyUsed,
    ResourceExhausted,
    Unavailable,
)
from ._reservation import Reservation

__all__ = [
    "AlreadyExists",
    "CallError",
    "Client",
    "DeadlineExceeded",
    "FailedPrecondition",
    "InsufficientCredits",
    "InvalidArgument",
    "MockupdError",
    "NotCharged",
    "NotFound",
    "PermissionDenied",
    "Reservation",
    "ReservationAlreadyUsed",
    "ResourceExhausted",
    "RetryPolicy",
    "Unavailable",
    "connect",
]
