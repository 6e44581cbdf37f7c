"""Calls with retries, and calls that an interruption does not end."""

from __future__ import annotations

import dataclasses
import random
import threading
import time
from typing import Any, Callable, Optional, Sequence, TypeVar

import grpc

from ._errors import CallError, ResourceExhausted, Unavailable

_Value = TypeVar("_Value")


@dataclasses.dataclass(frozen=True)
class RetryPolicy:
    """The policy for retrying idempotent calls.

    A call is retried if the server or its database is unavailable, and if the server is overloaded
    and says when to retry. Pauses are in seconds.
    """

    #: The maximum number of attempts, the first included; 1 means no retries.
    attempts: int = 6
    #: The longest pause after the first attempt; it doubles with each further attempt.
    initial_pause: float = 0.05
    #: The longest pause after any attempt, unless the server asks for a longer one.
    maximum_pause: float = 2.0

    def pause(self, attempt: int, error: CallError) -> Optional[float]:
        """Returns the pause after an attempt, numbered from 1, or None to retry no more."""
        if attempt >= self.attempts or not isinstance(error, (Unavailable, ResourceExhausted)):
            return None
        if not error.is_transient:
            return None
        backoff = min(self.initial_pause * 2 ** min(attempt - 1, 20), self.maximum_pause)
        # The random part keeps clients that failed at the same time from retrying together.
        return max(backoff / 2, error.retry_delay or 0) + backoff / 2 * random.random()


class Calls:
    """Makes the calls of a client."""

    #: The limit of calls that must have one, in seconds, if the client has no timeout.
    DEFAULT_TIMEOUT = 30.0

    def __init__(
        self,
        timeout: Optional[float],
        retry: RetryPolicy,
        metadata: Sequence[tuple[str, str]],
        wait_for_ready: bool,
    ):
        self.timeout = timeout
        self.retry = retry
        self.options: dict[str, Any] = {
            "metadata": tuple(metadata),
            "wait_for_ready": wait_for_ready,
        }
        self._shielded: set[threading.Event] = set()

    @property
    def bounded_timeout(self) -> float:
        """The timeout of calls that must end."""
        return self.DEFAULT_TIMEOUT if self.timeout is None else self.timeout

    def unary(
        self,
        method: Callable[..., _Value],
        request: Any,
        *,
        timeout: Optional[float],
        attempts: Optional[int] = None,
    ) -> _Value:
        """Makes a call, and makes it again as the retry policy says. The timeout covers all.

        Raises CallError.
        """
        policy = self.retry
        if attempts is not None:
            policy = dataclasses.replace(policy, attempts=attempts)
        deadline = None if timeout is None else time.monotonic() + timeout
        attempt = 1
        last: Optional[CallError] = None
        while True:
            left = None if deadline is None else max(deadline - time.monotonic(), 0)
            try:
                return method(request, timeout=left, **self.options)
            except grpc.RpcError as failure:
                error = CallError.of(failure)
            last = error.after_attempt(last) if last else error
            pause = policy.pause(attempt, error)
            if pause is None or deadline is not None and time.monotonic() + pause >= deadline:
                raise error
            time.sleep(pause)
            attempt += 1

    def shielded(self, call: Callable[[], _Value], *, retry_time: float = 0) -> _Value:
        """Makes an idempotent call that KeyboardInterrupt does not end.

        The call runs in a thread, and this function waits for it even if the exception of a signal
        handler interrupts the wait: that exception is raised afterwards, from the call's CallError
        if it has failed. While the server is unavailable or overloaded, the call is made again for
        `retry_time` seconds. Raises CallError.
        """
        outcome: list[Callable[[], _Value]] = []
        done = threading.Event()

        def run() -> None:
            try:
                outcome.append(self._result(call, retry_time))
            except BaseException as error:
                failure = error
                outcome.append(lambda: _raise(failure))
            done.set()

        self._shielded.add(done)
        interruption: Optional[BaseException] = None
        # Not a daemon: the interpreter waits for the thread before it exits.
        thread = threading.Thread(target=run, name="mockupd")
        try:
            thread.start()
        except BaseException as error:
            if not isinstance(error, RuntimeError):
                interruption = error
            if thread.ident is None:
                # No thread was started. If one was after all, the call is made twice, which has no
                # second effect.
                run()
        while not done.is_set():
            try:
                done.wait()
            except BaseException as error:
                interruption = error
        self._shielded.discard(done)
        if interruption is None:
            return outcome[0]()
        try:
            outcome[0]()
        except BaseException as failure:
            raise interruption from failure
        raise interruption

    def _result(self, call: Callable[[], _Value], retry_time: float) -> Callable[[], _Value]:
        """Returns a function that returns the value of the call or raises its error."""
        retry_time = retry_time if self.retry.attempts > 1 else 0
        end = time.monotonic() + retry_time
        pause = self.retry.initial_pause
        last: Optional[CallError] = None
        while True:
            try:
                value = call()
                return lambda: value
            except CallError as error:
                failure = last = error.after_attempt(last) if last else error
            wait = max(pause, failure.retry_delay or 0)
            if not failure.is_transient or time.monotonic() + wait >= end:
                return lambda: _raise(failure)
            time.sleep(wait)
            pause = min(pause * 2, self.retry.maximum_pause)

    def wait_for_shielded(self) -> None:
        """Waits for the shielded calls of all threads."""
        for done in tuple(self._shielded):
            done.wait()


def _raise(error: BaseException) -> Any:
    raise error
