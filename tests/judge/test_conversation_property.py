"""Random conversations, failures and interrupts included, end with equal tables on both sides.

Both ends run here: the candidate in a forked process, the judge's end in the test's. The candidate
tells its tables when it is asked for the name `books`.
"""

import contextlib
import functools
import gc
import math
import os
import signal
import socket
import sys
import time
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.judge import candidate_end
from autograder.judge.around.surroundings import Surroundings
from autograder.judge.judge_end import JudgePeer
from autograder.judge.notebook.source import Notebook
from autograder.judge.replaced.clock import Clock
from autograder.judge.wire import gradients
from autograder.judge.wire.channel import Channel

SOLUTION = """\
import math
import time
import torch
kept = [[1], {"k": [2]}, torch.ones(2)]
class Thing:
    def whole(self, n):
        return self.part(n)
def divide(a, b):
    return math.gcd(a, b)
def shared(n):
    return kept[n % len(kept)]
def fresh(n):
    return [[n], {"n": [n]}, torch.ones(1), Thing()][n % 4]
def keep(x):
    kept[:] = [*kept[-5:], x]
    return x
def drop():
    del kept[3:]
def echo(*args):
    return args
def change(n):
    kept[0].append([n])
    del kept[0][:-3]
def fail(*args):
    kept[0].append(list(args))
    raise ValueError("no")
def unsendable():
    class New:
        pass
    return [New(), [1], torch.ones(2).to_sparse()]
def call(f, *args):
    return f(*args)
def slow():
    time.sleep(0.3)
    return [3]
"""


class StopError(Exception):
    pass


class Unmade:
    """What the other side can't make again: a class of its own, made by a function."""

    def __reduce_ex__(self, protocol):
        return int, ("no number",)


class Talk:
    """A judge's end, with a candidate's in a process of its own."""

    def __enter__(self):
        ours, theirs = socket.socketpair()
        self.pid = os.fork()
        if not self.pid:
            try:
                ours.close()
                _candidate(theirs)
            finally:
                os._exit(0)
        theirs.close()
        self.peer = JudgePeer(Channel(ours), Notebook(), functools.partial(os.kill, self.pid))
        self.peer.printed = lambda out, err: None
        self.peer.names.given = False
        self.around = self.peer.surroundings = Surroundings(lambda *_: None)
        self.clock = Clock(self.peer)
        self.clock.install()
        self.swallowed = []
        self.hook, sys.unraisablehook = sys.unraisablehook, self.swallowed.append
        self.peer.flush_signals = self.clock.flush
        self.held = []
        return self

    def __exit__(self, *_):
        sys.unraisablehook = self.hook
        self.clock.close()
        self.peer.channel.close()
        os.waitpid(self.pid, 0)

    def ask(self, name, *args):
        return self.peer.global_name(name)(*args)

    def cell(self, steps):
        """One test: its steps, and what it holds until its end."""
        self.peer.start_clock(20)
        with self.clock.limit(20, is_test=True):
            for step, n in steps:
                with contextlib.suppress(Exception):
                    getattr(self, step)(n)
        self.held[:] = self.held[-3:]

    # Steps of a test.

    def repeated(self, n):
        self.held.append(self.ask("shared", n))
        assert self.ask("shared", n) is self.held[-1]

    def fresh(self, n):
        self.held.append(self.ask("fresh", n))

    def keeps(self, n):
        self.held.append(self.ask("keep", [n, {"x": (n,)}, torch.ones(2)]))

    def drops(self, n):
        self.held.clear()
        self.ask("drop")

    def collects(self, n):
        gc.collect(0)

    def changes(self, n):
        self.ask("change", n)
        self.ask("shared", 0).append({"n": [n]})

    def fails(self, n):
        self.ask("fail", [n], *self.held)

    def unsendable(self, n):
        self.ask("unsendable")

    def unreadable(self, n):
        self.ask("echo", [n], self.held, Unmade(), [n])

    def refused(self, n):
        self.ask("echo", {"a": [n]}, torch.ones(2).to_sparse())

    def changed_to_unsendable(self, n):
        mine = [n]
        self.ask("keep", mine)
        mine.append(torch.ones(2).to_sparse())
        self.ask("echo", mine)

    def calls_back(self, n):
        self.held.append(self.ask("call", lambda x: [x, self.ask("shared", n)], [n]))

    def calls_back_and_fails(self, n):
        def test_function(*args):
            self.ask("keep", list(args))
            return [{}[n], args] if n % 2 else Unmade()

        self.ask("call", test_function, [n], self.ask("shared", n))

    def patched(self, n):
        """A patch for some calls; it is gone afterwards, also if a call fails."""
        self.around.patches.note(math, "gcd")
        plain = math.gcd
        math.gcd = lambda *args: [self.ask("shared", n), *args][1:]
        try:
            assert self.ask("divide", n, 4) == [n, 4]
            self.ask("fail", n)
        finally:
            math.gcd = plain
            assert self.ask("divide", 6, 4) == 2

    def settings(self, n):
        with np.errstate(divide="raise"):
            self.fails(n)

    def derives(self, n):
        class Mine(self.peer.global_name("Thing")):
            def part(self, x):
                return {}[x] if n % 2 else [x, self.kept]

        mine = Mine()
        mine.kept = [n]
        self.held += [mine, mine.whole(n)]

    def raises(self, n):
        def stop():
            self.ask("shared", n)
            raise StopError

        try:
            self.ask("call", stop)
        except StopError:
            self.ask("call", lambda: n)

    def interrupted(self, n):
        came = []

        def late(*_):
            came.append(True)
            raise StopError

        before = signal.signal(signal.SIGALRM, late)
        signal.setitimer(signal.ITIMER_REAL, 0.0005 * (n + 1))
        try:
            if n % 3 == 0:
                self.ask("call", lambda: self.ask("slow"))
            while not came:  # what it raises in a collector's callback, Python swallows
                self.repeated(n)
                self.calls_back(n)
                self.keeps(n)
                with contextlib.suppress(KeyError, ValueError):
                    [self.patched, self.derives][n % 2](n)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def books(self):
        """The numbers in both tables, with the kinds of what they stand for."""
        self.peer.start_clock(20)
        self.ask("collect")  # garbage that goes while it answers goes from its table afterwards
        theirs = self.ask("books")
        return _books(self.peer), {int(number): kind for number, kind in theirs}


def _books(peer):
    return {number: type(entry.obj).__name__ for number, entry in peer.table._by_number.items()}


def _candidate(sock):
    shell = SimpleNamespace(user_ns={"__name__": "__main__"})
    exec(SOLUTION, shell.user_ns)
    peer = candidate_end.CandidatePeer(Channel(sock), shell)
    shell.user_ns["collect"] = lambda: gc.collect() and None
    shell.user_ns["books"] = lambda: tuple(_books(peer).items())
    gc.freeze()  # so that collecting looks at the conversation's objects only
    signal.signal(signal.SIGINT, peer.interrupt)
    peer.serve_forever()


STEPS = sorted(
    name for name in vars(Talk) if name[0] != "_" and name not in ("ask", "cell", "books")
)
CELLS = st.lists(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 20)), max_size=6))
ANY = settings(deadline=None, suppress_health_check=list(HealthCheck))


def converse(cells):
    torch.set_num_threads(1)
    with Talk() as talk:
        for steps in cells:
            talk.cell(steps)
            assert talk.peer.lost is None
            for swallowed in talk.swallowed:  # Hypothesis watches the collector; we mustn't
                assert (
                    "autograder/judge/" not in swallowed.exc_traceback.tb_frame.f_code.co_filename
                )
            ours, theirs = talk.books()
            assert ours == theirs
            assert talk.ask("echo", 7, [8]) == (7, [8])
        return Counter(step for steps in cells for step, _ in steps)


@settings(ANY, max_examples=10)
@given(CELLS)
def test_tables_are_equal_after_every_cell(cells):
    converse(cells)


def test_what_goes_is_noted_without_a_line_of_python():
    """There a signal's handler could raise, and Python would swallow it: a test would never end."""
    ran = []
    with Talk() as talk:
        stand_in, graphs = talk.peer.global_name("slow"), gradients.Graphs()
        handle, token = stand_in._handle_, gradients.Token(graphs, 3)
        sys.setprofile(lambda frame, event, _: event == "call" and ran.append(frame.f_code))
        del stand_in, token
        sys.setprofile(None)
        assert ran == []
        assert talk.peer.imported(handle) is None
        assert graphs.take_released() == [-3]
        talk.ask("echo", 1)
        assert talk.peer.imported(handle) is None


def test_every_step_over_many_cells():
    cells = [[(step, n), ("interrupted", n)] for n in range(2) for step in STEPS]
    assert converse(cells).keys() == set(STEPS)


@pytest.mark.slow
@settings(ANY, max_examples=30)
@given(st.lists(CELLS, min_size=10, max_size=10))
def test_tables_are_equal_after_hundreds_of_cells(parts):
    start = time.monotonic()
    converse([steps for part in parts for steps in part * 5])
    assert time.monotonic() - start < 300
