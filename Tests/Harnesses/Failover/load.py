"""Puts load on several servers, and checks that no call that was acknowledged is lost.

Callers reserve credits and commit half of the reservations, each call through the next server. Six
callers retry calls whose outcome is unknown, under the same ids. Two callers give up instead, and
the next check makes their calls again. Each acknowledged call is kept with its answer.

Reads commands, one a line, and answers each with one line:

  round            begins a round: counts and measures from here
  acknowledged N   waits until N more calls are acknowledged
  check            pauses the load, and retries the round's calls through every server
  check all        the same for the calls of all rounds

A check is answered with the numbers of acknowledged calls, of calls that were given up, of lost
calls (a retry was not answered from the first call's row), of calls with two answers and of errors
that no caller should get, and the longest time between two acknowledgements in seconds. Standard
error has the details.
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
IMPATIENT_CALLERS = 2
# The pause of a caller after a call, in seconds, which leaves the processors to the databases; and
# the pause after it has given up.
PAUSE = 0.05
LONG_PAUSE = 1
# The time limit of a call, in seconds. Callers give up, or retry, after it.
TIMEOUT = 3
# The time limit of waiting for acknowledgements, and for the answers of a check, in seconds.
PATIENCE = 300

# The outcome is unknown, or the call had no effect: a retry is right.
TRANSIENT = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
)


class Fault(Exception):
    """An error that no caller should get. It was counted and reported."""


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
        # The faults since the last check.
        self.lost = self.different = self.unexpected = 0
        self.begin_round()

    def begin_round(self):
        with self.changed:
            self.first = len(self.calls)
            self.acknowledged = 0
            self.gap = 0.0
            self.last = time.monotonic()

    # Load

    def start(self):
        for number in range(CALLERS):
            gives_up = number < IMPATIENT_CALLERS
            threading.Thread(target=self.run_caller, args=[gives_up], daemon=True).start()

    def run_caller(self, gives_up):
        servers = [Server(socket) for socket in self.sockets]
        while True:
            with self.changed:
                self.changed.wait_for(lambda: not self.paused)
                self.busy += 1
            try:
                self.spend(servers, gives_up)
            except Fault:
                pass
            with self.changed:
                self.busy -= 1
                self.changed.notify_all()
            time.sleep(PAUSE)

    def spend(self, servers, gives_up):
        """Reserves credits, and commits them in one of two cases."""
        user, reservation = random.choice(self.users), str(uuid.uuid4())
        credits = random.randint(1, 3)
        reserve = credits_pb2.ReserveCreditsRequest(
            user_id=user, reservation_id=reservation, credits=credits
        )
        answer = self.acknowledge(servers, Call("ReserveCredits", reserve), gives_up)
        if answer is None or not answer.success or random.random() < 0.5:
            return
        commit = credits_pb2.CommitReservationRequest(
            user_id=user,
            reservation_id=reservation,
            commit_id=str(uuid.uuid4()),
            credits=random.randint(1, credits),
        )
        self.acknowledge(servers, Call("CommitReservation", commit), gives_up)

    def acknowledge(self, servers, call, gives_up):
        """Makes a call until it is acknowledged, or the caller gives up. Raises Fault."""
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
                if answer is not None or gives_up:
                    self.calls.append(call)
                    self.changed.notify_all()
            if answer is not None:
                return answer
            if gives_up:
                time.sleep(LONG_PAUSE)
                return None
            time.sleep(PAUSE)

    def attempt(self, server, call):
        """Returns the answer and `replayed`, or None twice if a retry is right. Raises Fault."""
        try:
            return call.make(server)
        except grpc.RpcError as error:
            if error.code() in TRANSIENT:
                return None, None
            self.report("unexpected", server, call, f"{error.code().name}: {error.details()}")
            raise Fault from error

    def report(self, counter, server, call, text):
        with self.changed:
            setattr(self, counter, getattr(self, counter) + 1)
        line = f"{counter}: {server.socket}: {call.method} {call.request}: {text}"
        sys.stderr.write(line.replace("\n", " ") + "\n")

    # Checks

    def check(self, everything):
        with self.changed:
            self.paused = True
            self.changed.wait_for(lambda: self.busy == 0)
            gap = max(self.gap, time.monotonic() - self.last)
            calls = self.calls if everything else self.calls[self.first :]
            acknowledged = sum(call.answer is not None for call in calls)
        with concurrent.futures.ThreadPoolExecutor(CALLERS) as pool:
            for socket in self.sockets:
                server = Server(socket)
                list(pool.map(lambda call: self.check_call(server, call), calls))
        with self.changed:
            faults = f"{self.lost} {self.different} {self.unexpected}"
            self.lost = self.different = self.unexpected = 0
            self.paused = False
            self.changed.notify_all()
        return f"{acknowledged} {len(calls) - acknowledged} {faults} {gap:.1f}"

    def check_call(self, server, call):
        """Retries a call, which must have the answer that it had."""
        answer = None
        deadline = time.monotonic() + PATIENCE
        try:
            while answer is None and time.monotonic() < deadline:
                answer, replayed = self.attempt(server, call)
                if answer is None:
                    time.sleep(PAUSE)
        except Fault:
            return
        if answer is None:
            self.report("unexpected", server, call, f"no answer in {PATIENCE} seconds")
        elif call.answer is None:
            # The caller had given up: this is the first answer.
            call.answer = answer
        elif not replayed:
            self.report("lost", server, call, f"the first answer was {call.answer}")
        elif answer != call.answer:
            self.report("different", server, call, f"{call.answer} and then {answer}")

    # Commands

    def wait(self, number):
        with self.changed:
            target = self.acknowledged + number
            reached = self.changed.wait_for(lambda: self.acknowledged >= target, PATIENCE)
        return "yes" if reached else f"no: fewer than {number} calls in {PATIENCE} seconds"

    def run_commands(self):
        for line in sys.stdin:
            match line.split():
                case ["round"]:
                    self.begin_round()
                    answer = "yes"
                case ["acknowledged", number]:
                    answer = self.wait(int(number))
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
