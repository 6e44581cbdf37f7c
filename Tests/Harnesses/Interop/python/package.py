"""Tests the package mockupd of Sources/PythonClient against a server. scripts/interop runs it.

It prints a line for each check, and exits with 1 if one of them fails.

usage: package.py calls SOCKET USER SLOW-USER ASSET
       package.py denied SOCKET USER
"""

import collections
import contextlib
import os
import signal
import socket as sockets
import sys
import tempfile
import threading
import time
import uuid

import grpc
import mockupd
from google.rpc import error_details_pb2, status_pb2
from mockups.v1 import credits_pb2, mockups_pb2

#: The type of the HTTP/2 frame that begins an answer.
HEADERS = 1

failed = False


def check(what, holds, *got):
    """Prints whether a check holds, and the values it has seen if it does not."""
    global failed
    if holds:
        print("ok  ", what, flush=True)
    else:
        failed = True
        print("FAIL", what, *map(repr, got), flush=True)


class Raised:
    """Records the exception of a block."""

    error = None


@contextlib.contextmanager
def raising():
    raised = Raised()
    try:
        yield raised
    except BaseException as error:
        raised.error = error


class Proxy:
    """A proxy of the server's Unix socket that can lose answers and delay them."""

    def __init__(self, path, server):
        self.path = path
        self._server = server
        self._connections = []
        self._refusals = 0
        #: Called in the thread of a connection when an answer arrives; returns whether it is sent.
        self._on_answer = None
        self._listener = sockets.socket(sockets.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def lose_next_answer(self):
        """Closes the connection instead of forwarding the server's next answer."""
        self._on_answer = lambda: False

    def lose_answer_after_next(self):
        """Closes the connection instead of forwarding the answer after the next one."""
        # An answer has two frames with headers.
        frames = iter(range(2))

        def on_answer():
            if next(frames, None) is None:
                return False
            self._on_answer = on_answer
            return True

        self._on_answer = on_answer

    def lose_next_answer_and_refuse(self, connections):
        """Loses the next answer, and closes that number of connections as they are opened."""

        def lose():
            self._refusals = connections
            return False

        self._on_answer = lose

    @property
    def refusals(self):
        """The number of connections that are still to be refused."""
        return self._refusals

    def interrupt_at_next_answer(self):
        """Sends SIGINT to this process, and the answer after the handler of the signal has run."""

        def interrupt():
            interrupted.clear()
            os.kill(os.getpid(), signal.SIGINT)
            interrupted.wait(900)
            return True

        self._on_answer = interrupt

    def cut(self):
        """Closes all connections."""
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(sockets.SHUT_RDWR)
        self._connections = []

    def _accept(self):
        while True:
            client, _ = self._listener.accept()
            if self._refusals:
                self._refusals -= 1
                client.close()
                continue
            server = sockets.socket(sockets.AF_UNIX)
            server.connect(self._server)
            self._connections += [client, server]
            for pump in (self._send_requests, self._send_answers):
                threading.Thread(target=pump, args=(client, server), daemon=True).start()

    def _send_requests(self, client, server):
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                server.sendall(data)
        self._close(client, server)

    def _send_answers(self, client, server):
        frames = server.makefile("rb")
        with contextlib.suppress(OSError):
            while len(head := frames.read(9)) == 9:
                payload = frames.read(int.from_bytes(head[:3], "big"))
                if head[3] == HEADERS and self._on_answer:
                    on_answer, self._on_answer = self._on_answer, None
                    if not on_answer():
                        break
                client.sendall(head + payload)
        self._close(client, server)

    @staticmethod
    def _close(*connections):
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(sockets.SHUT_RDWR)


#: Set when the handler of SIGINT has run.
interrupted = threading.Event()


#: The exception that the handler of SIGINT raises.
interruption = KeyboardInterrupt


def on_interrupt(*_):
    interrupted.set()
    raise interruption


class Used:
    """The credits that were used and held since a moment."""

    def __init__(self, m, user):
        self._m, self._user = m, user
        self._before = m.usage(user)

    def since(self):
        usage = self._m.usage(self._user)
        return (
            usage.total_used - self._before.total_used,
            usage.held - self._before.held,
        )


def settle(m, user):
    """Commits at the end of a block, and releases after an exception."""
    used = Used(m, user)
    with m.reservation(user, 3) as r:
        check("the credits are held in the block", r.credits == 3 and used.since() == (0, 3))
        r.spent = 2
    check("the end of the block commits the spent credits", used.since() == (2, 0), r.outcome)
    check("the outcome is the server's", (r.outcome.committed, r.outcome.released) == (2, 1))
    with m.reservation(user, 1):
        pass
    check("the end of the block commits all credits by default", used.since() == (3, 0))

    class Defect(Exception):
        pass

    with raising() as raised:
        with m.reservation(user, 3) as r:
            raise Defect
    check("an exception of the block continues", isinstance(raised.error, Defect), raised.error)
    check("an exception releases the credits", used.since() == (3, 0), used.since())
    state = m.get_reservation(user, r.id).state
    check("the reservation is released", state == credits_pb2.RESERVATION_STATE_RELEASED, state)

    with raising() as raised:
        with m.reservation(user, 1) as r:
            r.spent = -1
    check("an invalid number of credits fails in the block", isinstance(raised.error, ValueError))
    for value, refusal in ((2**31, ValueError), (True, TypeError), (1.0, TypeError)):
        done = False
        with raising() as raised:
            with m.reservation(user, 1) as r:
                r.spent = value
                done = True
        check(
            f"{value!r} credits fail in the block",
            type(raised.error) is refusal and not done,
            raised.error,
        )
    with raising() as raised:
        m.reservation(user, True)
    check("a reservation refuses a bool", isinstance(raised.error, TypeError), raised.error)

    class Integer:
        """An integer of another library, such as numpy."""

        def __index__(self):
            return 0

    with m.reservation(user, 1) as r:
        r.spent = Integer()
    check("integers of other libraries are numbers of credits", r.outcome.released == 1, r.outcome)
    with m.reservation(user, 2) as r:
        r.spent = 0
    check("a block may spend nothing", used.since() == (3, 0), used.since())


Trailer = collections.namedtuple("Trailer", ["key", "value"])


def fail_again(m):
    """Fails several attempts of a call, and checks what the last error says of the first."""

    lost, refused = "Socket closed", "the database is not reachable; the call had no effect"
    unsent = "failed to connect to all addresses"
    earlier = "an earlier attempt may have had an effect; the last one: "
    no_effect = status_pb2.Status()
    no_effect.details.add().Pack(
        error_details_pb2.ErrorInfo(reason="NO_EFFECT", domain="mockupd")
    )

    class Failure(grpc.RpcError):
        def __init__(self, message):
            self._message = message

        def code(self):
            return grpc.StatusCode.UNAVAILABLE

        def details(self):
            return self._message

        def trailing_metadata(self):
            if self._message != refused:
                return ()
            return (Trailer("grpc-status-details-bin", no_effect.SerializeToString()),)

    def error(call, messages):
        attempts = iter(messages)

        def attempt(*_, **__):
            raise Failure(next(attempts, messages[-1]))

        with raising() as raised:
            call(attempt)
        return raised.error

    def call(method):
        m.call(method, None)

    def shielded(method):
        m._calls.shielded(lambda: m._calls.unary(method, None, timeout=1, attempts=1), retry_time=1)

    for name, make in (("call", call), ("shielded call", shielded)):
        for messages, message, may in (
            ((lost, refused), earlier + refused, True),
            ((refused, lost, refused, refused), earlier + refused, True),
            ((refused, refused), refused, False),
            ((unsent, refused), refused, False),
            ((lost, unsent), earlier + unsent, True),
        ):
            got = error(make, messages)
            check(
                f"the error of a {name} says what is known of all its attempts",
                (got.message, got.may_have_effect) == (message, may)
                and str(got) == f"UNAVAILABLE: {message}",
                got,
            )


def refuse(m, user, slow, socket):
    """Makes calls that are refused, and checks the exceptions that they raise."""
    available = m.usage(user).remaining_annual
    runs = 0
    with raising() as raised:
        with m.reservation(user, available + 1):
            runs += 1
    check(
        "too few credits raise InsufficientCredits, and the block does not run",
        isinstance(raised.error, mockupd.InsufficientCredits)
        and (raised.error.remaining, runs) == (available, 0),
        raised.error,
    )
    with raising() as raised:
        with m.reservation(uuid.uuid4(), 1):
            runs += 1
    check("an unknown user raises NotFound", isinstance(raised.error, mockupd.NotFound))
    with raising() as raised:
        with m.reservation(user, -1):
            runs += 1
    check(
        "an invalid field raises InvalidArgument, which names it",
        isinstance(raised.error, mockupd.InvalidArgument)
        and list(raised.error.field_violations) == ["credits"],
        raised.error,
    )
    id = uuid.uuid4()
    with m.reservation(user, 1, id=id):
        pass
    with raising() as raised:
        with m.reservation(user, 2, id=id):
            runs += 1
    check(
        "an id that was used for a different request raises AlreadyExists",
        isinstance(raised.error, mockupd.AlreadyExists),
        raised.error,
    )
    with raising() as raised:
        with m.reservation(user, 1) as r:
            r.spent = 2
    check(
        "a commit of too many credits raises FailedPrecondition",
        isinstance(raised.error, mockupd.FailedPrecondition),
        raised.error,
    )
    with mockupd.connect(socket, timeout=0.2) as hurried, raising() as raised:
        with hurried.reservation(slow, 1):
            runs += 1
    check(
        "a call without a response in time raises DeadlineExceeded",
        isinstance(raised.error, mockupd.DeadlineExceeded),
        raised.error,
    )
    with mockupd.connect(socket + ".none", timeout=60, retry=impatient) as nobody:
        with raising() as raised:
            nobody.usage(user)
    check(
        "a server that does not exist raises Unavailable",
        isinstance(raised.error, mockupd.Unavailable),
        raised.error,
    )
    check("no block has run", runs == 0)


def run_again(m, user):
    """Runs a block again under the id of an earlier run."""
    used = Used(m, user)
    id = uuid.uuid4()
    first = m.call(
        m.credits.ReserveCredits,
        credits_pb2.ReserveCreditsRequest(user_id=user, reservation_id=str(id), credits=2),
    )
    with m.reservation(user, 2, id=id) as r:
        check("a block continues a reservation that an earlier run did not settle", r.is_resumed)
        check(
            "the reservation is extended by the time to live",
            r.expires_at.replace(tzinfo=None) > first.reservation.expires_at.ToDatetime(),
            r.expires_at,
        )
    check("its credits are charged once", used.since() == (2, 0), used.since())
    ran = False
    with raising() as raised:
        with m.reservation(user, 2, id=id):
            ran = True
    check(
        "a settled id raises ReservationAlreadyUsed, and the block does not run",
        isinstance(raised.error, mockupd.ReservationAlreadyUsed)
        and raised.error.reservation.committed == 2
        and not ran
        and str(raised.error).endswith("already COMMITTED: 2 of 2 credits were committed"),
        raised.error,
    )


def dispatch(m, user):
    """Runs blocks that call the vendor."""
    used = Used(m, user)
    id = uuid.uuid4()
    with raising() as raised:
        with m.reservation(user, 2, id=id, dispatched=True):
            raise TimeoutError
    check(
        "an exception of a dispatched block releases nothing",
        isinstance(raised.error, TimeoutError) and used.since() == (0, 2),
        used.since(),
    )
    ran = False
    with raising() as raised:
        with m.reservation(user, 2, id=id, dispatched=True):
            ran = True
    check(
        "a block does not run again under the id of a dispatched reservation",
        isinstance(raised.error, mockupd.ReservationAlreadyUsed) and not ran,
        raised.error,
    )
    with m.reservation(user, 2, id=id, dispatched=True, resume_dispatched=True) as r:
        check("with resume_dispatched, a block runs again under that id", r.is_resumed)
    check("its credits are charged once", used.since() == (2, 0), used.since())
    with raising() as raised:
        with m.reservation(user, 2, dispatched=True):
            raise mockupd.NotCharged("no such template")
    check(
        "NotCharged releases the credits of a dispatched block",
        isinstance(raised.error, mockupd.NotCharged) and used.since() == (2, 0),
        used.since(),
    )


def keep_alive(m, user):
    with m.reservation(user, 1, time_to_live=30) as r:
        unextended = m.get_reservation(user, r.id).expires_at.ToDatetime()
        check("the time to live is the given one", r.expires_at.replace(tzinfo=None) == unextended)
    with m.reservation(user, 1, time_to_live=3, keep_alive=True) as r:
        first = m.get_reservation(user, r.id).expires_at
        while m.get_reservation(user, r.id).expires_at == first:
            time.sleep(0.1)
        check("a block keeps its reservation alive", True)


def lose_answers(m, user, proxy):
    """Loses the answers of a reservation and of a commit."""
    used = Used(m, user)
    proxy.lose_next_answer()
    runs = 0
    with m.reservation(user, 2) as r:
        runs += 1
        check(
            "a lost answer to the reservation is retried under the same id",
            used.since() == (0, 2) and r.is_resumed,
            used.since(),
        )
        proxy.lose_next_answer()
    check(
        "a lost answer to the commit is retried under the same id",
        r.outcome.replayed and runs == 1,
        r.outcome,
    )
    check("the credits are charged once", used.since() == (2, 0), used.since())

    proxy.lose_answer_after_next()
    with m.reservation(user, 1, dispatched=True) as r:
        state = m.get_reservation(user, r.id).state
        check(
            "a lost answer to the dispatch of a generated id is retried, and the block runs",
            state == credits_pb2.RESERVATION_STATE_DISPATCHED,
            state,
        )
        r.spent = 0
    check("nothing is held", used.since() == (2, 0), used.since())

    refusals = 3 * impatient.attempts
    with m.reservation(user, 1) as r:
        proxy.lose_next_answer_and_refuse(refusals)
    check("a commit is retried until the server is back", r.outcome.replayed, r.outcome)
    check("the client has connected again and again", proxy.refusals == 0, proxy.refusals)
    check("the credits of that commit are charged once", used.since() == (3, 0), used.since())


def interrupt(m, user, proxy):
    """Interrupts a reservation and a commit, as Ctrl-C does."""
    used = Used(m, user)
    proxy.interrupt_at_next_answer()
    ran = False
    with raising() as raised:
        with m.reservation(user, 2):
            ran = True
    check(
        "an interrupted reservation does not run the block",
        isinstance(raised.error, KeyboardInterrupt) and not ran,
        raised.error,
    )
    check("its credits are released", used.since() == (0, 0), used.since())
    global interruption
    interruption = TimeoutError
    proxy.interrupt_at_next_answer()
    with raising() as raised:
        with m.reservation(user, 2, dispatched=True):
            ran = True
    check(
        "the exception of a signal handler releases the credits too",
        isinstance(raised.error, TimeoutError) and not ran and used.since() == (0, 0),
        raised.error,
        used.since(),
    )
    interruption = KeyboardInterrupt

    def fail():
        interrupted.clear()
        os.kill(os.getpid(), signal.SIGINT)
        interrupted.wait(900)
        raise mockupd.CallError(grpc.StatusCode.INTERNAL, "broken")

    with raising() as raised:
        m._calls.shielded(fail)
    check(
        "an interruption of a call that fails has the failure as its cause",
        isinstance(raised.error, KeyboardInterrupt)
        and isinstance(raised.error.__cause__, mockupd.CallError),
        raised.error,
    )
    with raising() as raised:
        with m.reservation(user, 2) as r:
            proxy.interrupt_at_next_answer()
    check(
        "an interrupted commit is completed before the interruption continues",
        isinstance(raised.error, KeyboardInterrupt) and used.since() == (2, 0),
        raised.error,
    )
    with raising() as raised:
        with m.reservation(user, 2):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(900)
    check(
        "an interrupted block releases its credits",
        isinstance(raised.error, KeyboardInterrupt) and used.since() == (2, 0),
        raised.error,
    )


def watch(m, user, asset, proxy):
    """Watches the user's mockups over a connection that is lost."""

    def generate(scene):
        made = m.call(
            m.mockups.GenerateMockups,
            mockups_pb2.GenerateMockupsRequest(
                user_id=user, request_id=str(uuid.uuid4()), asset_ids=[asset], scenes=[scene]
            ),
        )
        return made.results[0].mockup_id

    changes = m.watch(user)
    first = next(changes)
    check("a watch begins with a token", first.resume_token and not first.mockup.mockup_id, first)
    made = generate("bedroom")
    change = next(changes)
    check("a change arrives", change.mockup.mockup_id == made, change)
    proxy.cut()
    made = generate("home_office")
    change = next(changes)
    check(
        "a watch continues after its connection was lost", change.mockup.mockup_id == made, change
    )
    changes.close()
    resumed = m.watch(user, first.resume_token)
    scenes = [next(resumed).mockup.scene for _ in range(3)]
    check("a watch continues after a token", scenes == ["", "bedroom", "home_office"], scenes)
    resumed.close()


def read(m, user):
    entries = list(m.ledger(user))
    used = m.usage(user).total_used
    check(
        "the ledger has the used credits, in order",
        sum(entry.credits for entry in entries) == used > 0
        and [entry.sequence for entry in entries] == list(range(1, len(entries) + 1)),
        entries,
    )


impatient = mockupd.RetryPolicy(attempts=4, initial_pause=0.01, maximum_pause=0.1)


def main():
    signal.signal(signal.SIGINT, on_interrupt)
    match sys.argv[1:]:
        case ["calls", socket, user, slow, asset]:
            with mockupd.connect(socket, timeout=900) as m:
                settle(m, user)
                refuse(m, user, slow, socket)
                run_again(m, user)
                dispatch(m, user)
                keep_alive(m, user)
                read(m, user)
            with tempfile.TemporaryDirectory() as directory:
                proxy = Proxy(os.path.join(directory, "proxy.sock"), socket)
                with mockupd.connect(proxy.path, timeout=900, retry=impatient) as m:
                    fail_again(m)
                    lose_answers(m, user, proxy)
                    interrupt(m, user, proxy)
                    watch(m, user, asset, proxy)
        case ["denied", socket, user]:
            with mockupd.connect(socket) as m, raising() as raised:
                with m.reservation(user, 1):
                    check("the block does not run", False)
            check(
                "a caller without the role raises PermissionDenied",
                isinstance(raised.error, mockupd.PermissionDenied),
                raised.error,
            )
        case _:
            sys.exit(__doc__)
    sys.exit(failed)


if __name__ == "__main__":
    main()
