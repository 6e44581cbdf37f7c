"""Puts load on several servers, and checks that no call that was acknowledged is lost.

Callers reserve credits and commit half of the reservations, each call through the next server. A
call whose outcome is unknown is retried under the same ids. One caller in four gives up instead;
its call is made again by the next check. Each acknowledged call is kept with its answer.

Reads commands, one a line, and answers each with one line:

  round            begins a round: counts and measures from here
  acknowledged N   waits until N more calls are acknowledged
  given-up N       waits until N more callers have given up
  check            pauses the load, and retries the round's calls through every server
  check all        the same for the calls of all rounds

A check is answered with the number of acknowledged calls, of lost calls (a retry was not answered
from the first call's row), of calls with two answers, of errors that no caller should get, and the
longest time between two acknowledgements in seconds.
"""

import concurrent.futures
import random
import sys
import threading
import time
import uuid

import grpc

from mockups.v1 import credits_pb2, credits_pb2_grpc

CALLERS = 8
# The pause of a caller after a call, in seconds, which leaves the processors to the databases.
PAUSE = 0.05
# The time limit of a call, in seconds. Callers give up, or retry, after it.
TIMEOUT = 3
# The time limit of waiting for a number of events, in seconds.
PATIENCE = 300

# The outcome is unknown, or the call had no effect: a retry is right.
TRANSIENT = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
)


class Server:
    """A server, with a connection of its own."""

    def __init__(self, socket):
        self.socket = socket
        options = [
            ("grpc.initial_reconnect_backoff_ms", 50),
            ("grpc.min_reconnect_backoff_ms", 50),
            ("grpc.max_reconnect_backoff_ms", 1000),
            ("grpc.enable_retries", 0),
            ("grpc.use_local_subchannel_pool", 1),
        ]
        self.credits = credits_pb2_grpc.CreditServiceStub(
            grpc.insecure_channel(f"unix:{socket}", options=options)
        )


class Call:
    """A call with its ids, and its answer if it was acknowledged."""

    def __init__(self, method, request):
        self.method = method
        self.request = request
        self.answer = None

    def make(self, server):
        """Returns the answer without `replayed`, and `replayed`."""
        answer = getattr(server.credits, self.method)(self.request, timeout=TIMEOUT)
        replayed = answer.replayed
        answer.replayed = False
        return answer, replayed


class Load:
    def __init__(self, sockets, users):
        self.sockets = sockets
        self.users = users
        self.changed = threading.Condition()
        self.paused = False
        self.busy = 0
        self.calls = []  # of all rounds
        self.begin_round()

    def begin_round(self):
        with self.changed:
            self.first = len(self.calls)
            self.acknowledged = self.given_up = 0
            self.lost = self.different = self.unexpected = 0
            self.gap = 0.0
            self.last = time.monotonic()

    # Load

    def start(self):
        for _ in range(CALLERS):
            threading.Thread(target=self.run_caller, daemon=True).start()

    def run_caller(self):
        servers = [Server(socket) for socket in self.sockets]
        while True:
            with self.changed:
                self.changed.wait_for(lambda: not self.paused)
                self.busy += 1
            self.spend(servers)
            with self.changed:
                self.busy -= 1
                self.changed.notify_all()
            time.sleep(PAUSE)

    def spend(self, servers):
        """Reserves credits, and commits them in one of two cases."""
        user, reservation = random.choice(self.users), str(uuid.uuid4())
        credits = random.randint(1, 3)
        reserve = credits_pb2.ReserveCreditsRequest(
            user_id=user, reservation_id=reservation, credits=credits
        )
        answer = self.acknowledge(servers, Call("ReserveCredits", reserve))
        if answer is None or not answer.success or random.random() < 0.5:
            return
        commit = credits_pb2.CommitReservationRequest(
            user_id=user,
            reservation_id=reservation,
            commit_id=str(uuid.uuid4()),
            credits=random.randint(1, credits),
        )
        self.acknowledge(servers, Call("CommitReservation", commit))

    def acknowledge(self, servers, call):
        """Makes a call until it is acknowledged, or the caller gives up."""
        gives_up = random.random() < 0.25
        while True:
            servers.append(servers.pop(0))
            answer, _ = self.attempt(servers[0], call)
            with self.changed:
                if answer is not None:
                    now = time.monotonic()
                    self.gap = max(self.gap, now - self.last)
                    self.last = now
                    self.acknowledged += 1
                    call.answer = answer
                elif gives_up:
                    self.given_up += 1
                if answer is not None or gives_up:
                    self.calls.append(call)
                    self.changed.notify_all()
                    return answer
            time.sleep(PAUSE)

    def attempt(self, server, call):
        """Returns the answer and `replayed`, or two times None after an error."""
        try:
            return call.make(server)
        except grpc.RpcError as error:
            if error.code() not in TRANSIENT:
                self.report(server, call, f"{error.code().name}: {error.details()}")
                with self.changed:
                    self.unexpected += 1
            return None, None

    @staticmethod
    def report(server, call, fault):
        request = str(call.request).replace("\n", " ")
        print(f"{server.socket}: {call.method} {request}: {fault}", file=sys.stderr, flush=True)

    # Checks

    def check(self, everything):
        with self.changed:
            self.paused = True
            self.changed.wait_for(lambda: self.busy == 0)
            # Time without load is not a gap.
            gap = max(self.gap, time.monotonic() - self.last)
            if everything:
                self.lost = self.different = self.unexpected = 0
            calls = self.calls if everything else self.calls[self.first :]
        with concurrent.futures.ThreadPoolExecutor(CALLERS) as pool:
            for socket in self.sockets:
                server = Server(socket)
                list(pool.map(lambda call: self.check_call(server, call), calls))
        with self.changed:
            self.paused = False
            self.last = time.monotonic()
            self.changed.notify_all()
        acknowledged = len(calls) if everything else self.acknowledged
        return f"{acknowledged} {self.lost} {self.different} {self.unexpected} {gap:.1f}"

    def check_call(self, server, call):
        """Retries a call, which must have the answer that it had."""
        answer = None
        deadline = time.monotonic() + PATIENCE
        while answer is None:
            answer, replayed = self.attempt(server, call)
            if answer is None and time.monotonic() > deadline:
                self.report(server, call, "no answer")
                return
        # The caller had given up: this is the first answer.
        if call.answer is None:
            call.answer = answer
            return
        with self.changed:
            if not replayed:
                self.lost += 1
                self.report(server, call, f"lost; it was answered {call.answer}")
            elif answer != call.answer:
                self.different += 1
                self.report(server, call, f"two answers: {call.answer} and {answer}")

    # Commands

    def wait(self, counter, number):
        with self.changed:
            target = getattr(self, counter) + number
            reached = self.changed.wait_for(lambda: getattr(self, counter) >= target, PATIENCE)
        return "yes" if reached else f"no: {counter} has not reached {target} in {PATIENCE} seconds"

    def run_commands(self):
        for line in sys.stdin:
            match line.split():
                case ["round"]:
                    self.begin_round()
                    answer = "yes"
                case ["acknowledged" | "given-up" as counter, number]:
                    answer = self.wait(counter.replace("-", "_"), int(number))
                case ["check", *rest]:
                    answer = self.check(everything=rest == ["all"])
                case _:
                    answer = f"no: unknown command {line.strip()}"
            print(answer, flush=True)


if __name__ == "__main__":
    separator = sys.argv.index("--")
    load = Load(sys.argv[1:separator], sys.argv[separator + 1 :])
    load.start()
    load.run_commands()
