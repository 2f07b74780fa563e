"""No test, failing or interrupted, damages the next: both ends stay in step."""

import socket

import pytest

from autograder.judge.errors import JudgeFaultError
from autograder.judge.wire.channel import Channel
from tests.judge.pair import notebook, solution_region

SOLUTION = """\
import time
held = [1, 2]
box = {"k": 1}
def same():
    return held
def echo(x):
    return x
def call(f, *args):
    return f(*args)
def drawn(generator):
    return generator.random()
def slow():
    time.sleep(8)
    return 1
class Thing:
    pass
def mixed(what):
    return [Thing(), what.__class__.__mro__, what] if what else Thing()
def unsendable():
    import torch
    return [Thing(), {"a": [1]}, torch.ones(2).to_sparse()]
"""


def run(pair, *tests, solution=SOLUTION, **limits):
    made = notebook(
        ("given", "import signal, torch"),
        ("solution", solution_region(solution)),
        *[("test", test) for test in tests],
    )
    results = pair.judge(made, limits=limits)
    return [result for result in results if result["score"] is not None]


def reasons(results):
    return [result["reason"] for result in results]


# A request with a value that can't cross.
UNREADABLE = "echo(torch.ones(2).to_sparse())"


@pytest.mark.parametrize(
    "before",
    [
        f"x = same()\ndel x\n{UNREADABLE}",
        f"x = [same(), {{'new': [1]}}]\necho(x)\ndel x\n{UNREADABLE}",
        "x = same()\nx.append([5])\nx.pop()\n"
        "try:\n    echo([x, [3], torch.ones(2).to_sparse()])\nfinally:\n    del x",
        "unsendable()",
        "call(lambda: torch.ones(2).to_sparse())",
    ],
    ids=["dropped", "dropped nested", "shared in it", "answer", "callback's answer"],
)
def test_what_can_not_cross_damages_no_later_call(pair, before):
    failed, *after = run(
        pair,
        before,
        "x = same()\nassert x == [1, 2]\nassert same() is x",
        "x.append(3)\nassert same() == [1, 2, 3]\nx.pop()\nassert echo(x) is x",
        "y = [4]\nassert echo(y) is y\nThing()",
        "assert same() == [1, 2] and call(lambda: [7]) == [7]",
    )
    assert failed["score"] == 0
    assert reasons(after) == [None] * 4


def stopping(body, *, after="", handler="raise TimeoutError('slow')", arm="signal.alarm(1)"):
    """A test that stops `body` by a signal, as tests for stock nbgrader do."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return (
        f"import signal\ndef late(*args):\n    {handler}\n"
        f"old = signal.signal(signal.SIGALRM, late)\n{arm}\n"
        f"try:\n{lines}\nfinally:\n    signal.alarm(0)\n"
        f"    signal.signal(signal.SIGALRM, old)\n{after}"
    )


SOON = "signal.setitimer(signal.ITIMER_REAL, 0.2)"
STOPPED = {
    "slow": stopping("assert slow() == 1"),
    "slow, by setitimer": stopping("assert slow() == 1", arm=SOON),
    "again and again": stopping("slow()", arm="signal.setitimer(signal.ITIMER_REAL, 0.2, 0.01)"),
    "in a callback": stopping("import time\ncall(time.sleep, 8)", arm=SOON),
    "in a callback's own call": stopping("call(lambda: slow())", arm=SOON),
    "by KeyboardInterrupt": stopping("slow()", handler="raise KeyboardInterrupt", arm=SOON),
    "by SystemExit": stopping("slow()", handler="raise SystemExit", arm=SOON),
    "by its own class": stopping("slow()", handler="raise type('L', (Exception,), {})", arm=SOON),
    "by a handler that asks": stopping("slow()", handler="same()", arm=SOON),
    "without a handler": f"import signal\n{SOON}\nslow()",
    "by interrupt_main": "import _thread, threading\n"
    "threading.Timer(0.2, _thread.interrupt_main).start()\nslow()",
    "the test's own loop": stopping("while True:\n    pass", arm=SOON),
    "many calls": stopping(
        "while True:\n    same()\n    echo([1])\n    call(lambda: [2])", arm=SOON
    ),
}
STEPS = [
    "x = same()\nassert x == [1, 2] and same() is x",
    "assert echo((1, 2)) == (1, 2)",
    "assert call(lambda a: [a], 3) == [3]",
]


@pytest.mark.parametrize("name", STOPPED)
def test_a_call_that_a_test_stops_damages_no_later_one(pair, name):
    stopped, *after = run(pair, STOPPED[name], *STEPS)
    assert stopped["score"] == 0
    assert stopped["seconds"] < 6, "the student's code was waited for"
    assert reasons(after) == [None] * len(STEPS)


def test_a_test_sees_what_its_handler_raised(pair):
    raised = "class Late(Exception):\n    pass\n" + stopping(
        "try:\n    slow()\nexcept Late as error:\n    assert error.args == ('x',)\n"
        "else:\n    assert False",
        handler="raise Late('x')",
        arm=SOON,
    )
    assert reasons(run(pair, raised, *STEPS)) == [None] * 4


def test_a_handler_that_raises_nothing_changes_nothing(pair):
    solution = SOLUTION + "def pause():\n    time.sleep(0.4)\n    return [1]\n"
    ticks = stopping(
        "assert pause() == [1] and len(ticks) > 2",
        handler="ticks.append(1)",
        arm="signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)",
    )
    assert reasons(run(pair, "ticks = []\n" + ticks, *STEPS, solution=solution)) == [None] * 4


ENDLESS = [
    "import signal\nsignal.alarm(0)\nwhile True:\n    pass",
    "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True:\n    pass",
    "import signal\nsignal.setitimer(signal.ITIMER_REAL, 100)\nslow()",
    stopping("while True:\n    pass", arm="signal.alarm(100)"),
    "call(lambda: [None for _ in iter(int, 1)])",
]


@pytest.mark.parametrize("test", ENDLESS)
def test_the_limit_outlives_a_tests_own_alarms(pair, test):
    endless, *after = run(pair, test, *STEPS, cell_seconds=2.0)
    assert endless["reason"] == "the cell's time is up"
    assert reasons(after) == [None] * len(STEPS)


def test_what_a_test_left_armed_goes_off_in_no_later_cell(pair):
    solution = SOLUTION + "def pause():\n    time.sleep(0.5)\n    return 1\n"
    left = (
        "import signal\ndef late(*args):\n    raise TimeoutError\n"
        f"signal.signal(signal.SIGALRM, late)\n{SOON}"
    )
    asleep = "assert pause() == 1"
    assert reasons(run(pair, left, asleep, *STEPS, solution=solution)) == [None] * 5


def test_a_change_that_can_not_cross_fails_one_call(pair):
    changed = (
        "import torch\nkept = [1]\necho(kept)\nkept.append(torch.ones(2).to_sparse())\necho(kept)"
    )
    failed, *after = run(pair, changed, *STEPS, "assert kept[0] == 1")
    assert "can't cross" in failed["reason"]
    assert reasons(after) == [None] * 4


def test_an_expression_that_can_not_be_made_again_fails_one_call(pair):
    solution = SOLUTION + "def wild():\n    import sympy\n    return sympy.Wild('w')\n"
    failed, *after = run(pair, "assert wild()", *STEPS, solution=solution)
    assert "a Wild can't cross" in failed["reason"]
    assert reasons(after) == [None] * len(STEPS)


VAST = [
    "frozenset(range(60_000))",
    "1 << (5 << 20)",
    "re.compile('a' * 20_000)",
    "sparse.coo_array((5, 1 << 32))",
    "sparse.dok_matrix((3 << 20, 3 << 20))",
]


@pytest.mark.parametrize("value", VAST)
def test_a_value_larger_than_the_judge_reads_fails_one_call(pair, value):
    solution = f"{SOLUTION}import re\nfrom scipy import sparse\ndef vast():\n    return {value}\n"
    failed, *after = run(pair, "assert vast()", *STEPS, solution=solution)
    assert "can't cross" in failed["reason"]
    assert reasons(after) == [None] * len(STEPS)


ASIDE = """\
class Odd:
    def __reduce_ex__(self, protocol):
        return list, (same(),)
try:
    call(len, [Odd(), [5]])
except RuntimeError as error:
    assert "can't be asked" in str(error)
else:
    assert False
"""


def test_a_generator_of_a_message_that_was_not_sent_crosses_with_the_next(pair):
    test = """
import random
draw = random.Random(4)
try:
    call(None, draw, torch.ones(2).to_sparse())
except TypeError:
    pass
same = random.Random(4)
assert [drawn(draw), drawn(draw)] == [same.random(), same.random()]
"""
    assert reasons(run(pair, test)) == [None]


def test_a_call_while_a_message_is_made_is_refused(pair):
    assert reasons(run(pair, "import abc\n" + ASIDE, *STEPS))[1:] == [None] * 3


def test_a_fault_of_the_codec_is_told_apart():
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(JudgeFaultError, match="isn't JSON"):
        Channel(ours).send({"a": object()})
