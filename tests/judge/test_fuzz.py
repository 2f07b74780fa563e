"""A candidate that rewrites its codec: nothing it sends crashes the judge or earns a point.

The judge asks for a name and gets a frame made to deceive as its answer.
"""

import collections
import datetime
import json
import pathlib
import random
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import zoneinfo
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import sympy

from autograder.judge.candidate_codec import CandidateDecoder, CandidateEncoder, CandidateObjects
from autograder.judge.errors import CandidateLostError
from autograder.judge.judge_codec import JudgeDecoder
from autograder.judge.judge_end import JudgePeer
from autograder.judge.notebook.source import Notebook
from autograder.judge.wire.channel import Channel, FrameLimits
from autograder.judge.wire.messages import Answer, Books, Change, Failure, Request, to_json

# Every tag that either end reads, and names that are none.
TAGS = [*sorted({*JudgeDecoder.TAGS, *CandidateDecoder.TAGS}), "__class__", "peer", "decode"]
OPS = ["call", "iter", "special", "getattr", "backward", "name", "attr", "exec", "__init__"]
ATOMS = [None, True, False, 0, 1, -1, 2, 3, 7, 2**31, 2**63, -(2**63), 10**30, 0.5, float("nan"),
         float("inf"), "", "a", "float32", "<f8", "O", "|V8", "(2,)f8", "cpu", "cuda:0", "meta",
         "RGB", "__main__:Value", "torch.nn.modules.module:Module", "builtins:type", "\ud800",
         "x" * 1000, [], [0], [1, 1], [-1], {}, {"a": 1}]  # fmt: skip
LIMITS = FrameLimits(head_bytes=1 << 20, buffer_bytes=8 << 20)


class Liar:
    """Makes frames that look like a candidate's, and aren't."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def value(self, depth=0):
        draw = self.random
        if depth > 5 or draw.random() < 0.4:
            return draw.choice(ATOMS)
        if draw.random() < 0.15:
            return [self.value(depth + 1) for _ in range(draw.randrange(4))]
        return self.shaped(draw.choice(TAGS), depth + 1)

    def shaped(self, tag, depth):
        """A tag, often with arguments of about the right kind."""
        draw = self.random
        number = draw.choice([0, 1, 2, 3, 4, 5, draw.randrange(1000), 2**40, -1])
        shape = [draw.choice([0, 1, 2, 3, -1, 10**6, 10**18]) for _ in range(draw.randrange(3))]
        items = [self.value(depth) for _ in range(draw.randrange(3))]
        body = [draw.choice(["float32", "int64", "<f4", "uint8", "O"]), shape, number, "cpu"]
        arguments = {
            "int": [draw.choice(["0x1", "-0xff", "zz", "0x" + "f" * 2000])],
            "shared": [number],
            "mine": [number],
            "ndarray": [number, body[:3]],
            "array_view": [number, shape, [8 * n for n in shape], number],
            "view": [number, shape, shape, number],
            "tensor": [number, body, [True, draw.random() < 0.5, draw.random() < 0.5], None],
            "live": [number, shape, "float32", "cpu", [True, True]],
            "remote": [number, number, [["a:B", "builtins:float"], ["__call__"], True], None],
            "namedtuple": ["P", ["x", "y"], items],
            "image": ["RGB", [number, number], number],
            "output": [number],
            "deque": [number, items, draw.choice([None, 2, -1])],
            "member": [draw.choice(["signal", "inspect", "__main__"]), "Signals", "SIGINT"],
            "re.Pattern": [draw.choice(["a+", "(", "a{99999}"]), draw.choice([0, 32, 2**40])],
        }.get(tag, [number, items] if draw.random() < 0.5 else [items])
        if tag == "sympy.Basic":
            arguments = [self.tree(depth)]
        elif tag in ("sympy.MutableDenseMatrix", "sympy.MutableSparseMatrix"):
            arguments = [[1, draw.choice([1, 10**9])], [self.tree(depth)]]
        elif tag == "pandas.DataFrame":
            arguments = [number, [self.index(), self.index(), [self.column(depth)], []]]
        elif tag == "pandas.Series":
            arguments = [number, [None, self.index(), [self.column(depth)], []]]
        elif tag.startswith("pandas.") and tag.endswith(("Index", "Array")):
            arguments = [self.index() if tag.endswith("Index") else self.column(depth)]
        elif tag.startswith("scipy."):
            arguments = [draw.choice([[2, 2], [10**6, 10**18], shape]), *map(self.body, range(3))]
        if tag == "exception":
            known = ["__main__:E", "json.decoder:JSONDecodeError", "numpy.testing:SkipTest"]
            names = [draw.choice(known), "builtins:ValueError"]
            tag, base = "remote", draw.choice([None, self.value(depth)])
            arguments = [number, number, None, [names, base]]
        if draw.random() < 0.2:
            arguments = [self.value(depth) for _ in range(draw.randrange(5))]
        return [tag, *arguments]

    def body(self, *_):
        """dtype, shape and buffer of an array."""
        draw = self.random
        record = ["record", [["a", "<i4", draw.choice([0, 2, 9])]], draw.choice([4, 2**40])]
        dtypes = ["<i8", "<i4", "|i1", "|b1", "<f8", "<M8[ns]", "<m8[s]", "<U2", "O", record]
        return [draw.choice(dtypes), [draw.choice([0, 1, 2, 10**9])], draw.randrange(4)]

    def index(self):
        """The form of an index of pandas."""
        draw = self.random
        return draw.choice(
            [
                ["range", [None], [0, draw.choice([1, 2, 10**12, -1]), draw.choice([0, 1])]],
                ["index", ["n"], ["numbers", self.body()], draw.choice([None, "D", "x"])],
                ["multi", ["a"], [["range", [None], [0, 2, 1]]], [self.body()]],
            ]
        )

    def column(self, depth):
        """The form of a column of pandas."""
        draw = self.random
        forms = {
            "numbers": lambda: [self.body()],
            "objects": lambda: [[self.value(depth + 1)]],
            "text": lambda: [
                draw.randrange(4), draw.choice(["", "\0", 3]), draw.choice([0, 1, 10**9])
            ],
            "string": lambda: [draw.choice(["python", "os"]), True, 0, "\0", 1, self.body()],
            "category": lambda: [self.body(), self.index(), draw.random() < 0.5],
            "datetime": lambda: [self.body(), self.value(depth + 1)],
            "timedelta": lambda: [self.body()],
            "period": lambda: [self.body(), draw.choice(["M", "__class__", 3])],
            "interval": lambda: [self.index(), self.index(), draw.choice(["left", "no"])],
            "masked": lambda: [
                draw.choice(["IntegerArray", "__name__"]), self.body(), self.body()
            ],
            "sparse": lambda: [self.body(), self.value(depth + 1)],
        }  # fmt: skip
        kind = draw.choice(list(forms))
        return [kind, *forms[kind]()]

    def tree(self, depth):
        """A tree of sympy, or something like it."""
        draw = self.random
        if depth > 4:
            return draw.choice([["Symbol", "x", [], None], ["S", "Pi"], ["Str", "eval"], []])
        parts = [self.tree(depth + 1) for _ in range(draw.randrange(3))]
        return draw.choice(
            [
                ["Rational", draw.choice([1, -3]), draw.choice([0, 2])],
                ["Float", 0, draw.choice([1, -1]), draw.choice([0, 10**12]), 53],
                ["Symbol", "x", [["positive", True], ["__class__", True]], draw.choice([None, 7])],
                ["S", draw.choice(["register", "__class__", "Half"])],
                ["Function", draw.choice(["f", "", 3]), parts],
                ["Poly", *(parts or [[]]), parts, draw.choice(["QQ", "EX", 5, -1, None])],
                [
                    "node",
                    draw.choice(["Add", "Pow", "sin", "sympify", "Integral", "Lambda"]),
                    parts,
                ],
            ]
        )

    def message(self):
        """A message of the grammar, most often: what it says is a lie."""
        draw = self.random
        said = {
            "changes": [
                Change(draw.randrange(6), self.value(), draw.choice([None, (None, True)]))
                for _ in range(draw.choice([0, 0, 0, 1, 2]))
            ],
            "names": ["f", "g"] if draw.random() < 0.9 else [self.value()],
            "books": self.books(),
        }
        kind = draw.random()
        if kind < 0.6:
            outputs = [["float32", [1], 0, "cpu"]] if draw.random() < 0.1 else []
            token = draw.choice([None, 1])
            made = Answer(out="", err="", value=self.value(), outputs=outputs, token=token, **said)
        elif kind < 0.7:
            names = draw.choice([["ValueError", "Exception"], ["SystemExit"], ["Exception"]])
            own = self.shaped("exception", 1) if draw.random() < 0.5 else None
            error = [names, own, ["m"], "m", "", False, self.value(), draw.choice([None, 0, -1])]
            made = Failure(out="out", err="", error=draw.choice([error, self.value()]), **said)
        elif kind < 0.9:  # a request, where an answer is due
            made = Request(
                op=draw.choice(OPS),
                target=draw.choice([None, 1, 2, 3]),
                name=draw.choice([None, "__next__", "__getattribute__", "__class__", "f_globals"]),
                context=[True],
                args=[self.value() for _ in range(draw.randrange(3))],
                kwargs={},
                **said,
            )
        else:
            return self.value()
        parts = to_json(made)
        if draw.random() < 0.1:  # a part that the grammar doesn't allow, or one too many
            parts[draw.randrange(len(parts))] = self.value()
        return [*parts, self.value()] if draw.random() < 0.02 else parts

    def books(self):
        if self.random.random() < 0.7:
            return Books([], [], [], [])
        numbers = [[self.random.randrange(9) - 4] for _ in range(4)]
        return Books(*numbers)

    def frame(self):
        draw = self.random
        buffers = [draw.randbytes(draw.choice([0, 1, 4, 8, 12])) for _ in range(draw.randrange(4))]
        head = json.dumps([self.message(), [len(b) for b in buffers]]).encode()
        kind = draw.random()
        if kind < 0.05:
            head = bytes(b ^ (draw.random() < 0.02) for b in head)
        elif kind < 0.06:
            head = b"[" * draw.choice([100, 5000, 100_000])
        elif kind < 0.07:
            head = json.dumps([0, [draw.choice([-1, 2**40, 1.5, None])]]).encode()
        elif kind < 0.08:
            return struct.pack(">I", draw.choice([2**32 - 1, LIMITS.head_bytes + 1])) + head
        elif kind < 0.09:
            return (struct.pack(">I", len(head)) + head)[: draw.randrange(1, 40)]
        return struct.pack(">I", len(head)) + head + b"".join(buffers)


class Peer(JudgePeer):
    """Notes which exception the other end claims that the student's code raised."""

    claimed = None

    def error_from_json(self, value, decoder):
        self.claimed = super().error_from_json(value, decoder)
        return self.claimed


def attack(seed, frames):
    """Send frames as answers; the number of them that ended the conversation."""
    import torch

    liar = Liar(seed)
    ended = 0
    while frames > 0:
        ours, theirs = socket.socketpair()
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        # Handle 1 to 3: what a test may have passed on.
        peer = Peer(Channel(ours, LIMITS), Notebook(), lambda number: None)
        peer.printed = lambda out, err: None
        kept = [lambda *args: 1, iter([1, 2]), torch.ones(3), [1], {"k": 2}]
        for obj in kept[:2]:
            peer.exports.handle(obj)
        for obj in kept[2:]:
            peer.table.add(obj)
        peer.table.settle()
        for _ in range(20):
            frames -= 1
            theirs.sendall(liar.frame())
            peer.start_clock(0.0)
            peer.late = False
            peer.channel.on_late = lambda: (_ for _ in ()).throw(CandidateLostError("no more"))
            try:
                peer.global_name("f")
            except CandidateLostError:
                ended += 1
                break
            except (Exception, SystemExit) as error:
                # As student code may raise; anything that it did not claim to raise is a bug.
                if error is not peer.claimed:
                    raise
        ours.close()
        theirs.close()
    return ended


def run_attack(seed, frames):
    """In a process with a cap on memory, so that a frame can't take the machine's."""
    script = (
        "import resource, sys, torch\n"
        "torch.set_num_threads(1)\n"
        "from tests.judge.test_fuzz import attack, memory\n"
        "attack(0, 500)\n"
        "before = memory()\n"
        f"ended = attack({seed}, {frames})\n"
        "print(ended, memory() - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=540, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    ended, grown = map(int, done.stdout.split())
    assert ended > frames // 100, "frames that make no sense must end the conversation"
    assert grown < 256 << 20, f"reading the frames took {grown >> 20} MiB"


def memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


# A value, and a change of its honest form that a candidate may send: where, and what instead.
LIES = {
    "array: another dtype": (lambda: np.arange(4), [2, 0], "<f4"),
    "array: a dtype that is no dtype": (lambda: np.arange(4), [2, 0], "os.system"),
    "array: a huge shape": (lambda: np.arange(4), [2, 1], [10**12]),
    "array: too few objects": (lambda: np.array([None, 1]), [2, 1], [3]),
    "records: a field that reaches out": (lambda: np.zeros(2, "i4,f8"), [2, 0, 1, 1, 2], 8),
    "records: of objects": (lambda: np.zeros(2, "i4,f8"), [2, 0, 1, 0, 1], "O"),
    "records: nested without end": (lambda: np.zeros(2, "i4,f8"), [2, 0], "deep"),
    "frame: a column too short": (lambda: pd.DataFrame({"a": [1, 2]}), [2, 2, 0, 1, 1], [1]),
    "frame: a column too few": (lambda: pd.DataFrame({"a": [1, 2]}), [2, 2], []),
    "frame: an index of other length": (lambda: pd.DataFrame({"a": [1, 2]}), [2, 1, 2, 1], 10**12),
    "frame: a shape of two axes": (lambda: pd.DataFrame({"a": [1, 2]}), [2, 2, 0, 1, 1], [2, 1]),
    "frame: of another kind": (lambda: pd.DataFrame({"a": [1, 2]}), [2, 2, 0, 0], "__class__"),
    "frame: itself": (lambda: pd.DataFrame({"a": [1, 2]}), [2, 2, 0], "deep"),
    "text: more texts than there are": (lambda: pd.Series(["a", "b"]), [2, 2, 0, 5], 10**9),
    "text: no separator": (lambda: pd.Series(["a", "b"]), [2, 2, 0, 4], ""),
    "text: another storage": (lambda: pd.Series(["a", "b"]), [2, 2, 0, 1], "os"),
    "category: a code that is none": (
        lambda: pd.Series(["a"], dtype="category"),
        [2, 2, 0, 2, 2, 3, 1, 1],
        [0],
    ),
    "datetime: a unit that is none": (
        lambda: pd.Series(pd.to_datetime(["2024"])),
        [2, 2, 0, 1, 0],
        "<M8[Y]",
    ),
    "datetime: a zone that is none": (
        lambda: pd.Series(pd.to_datetime(["2024"])),
        [2, 2, 0, 2],
        "UTC",
    ),
    "nullable: a mask that is none": (lambda: pd.array([1, None]), [1, 3, 0], "|i1"),
    "nullable: another class": (lambda: pd.array([1, None]), [1, 1], "PeriodArray"),
    "multi-index: codes beyond": (
        lambda: pd.MultiIndex.from_tuples([(1, 2)]),
        [1, 2, 0, 2],
        [0, 0, 1],
    ),
    "period: a frequency that is none": (
        lambda: pd.period_range("2024", periods=1, freq="M"),
        [1, 2, 2],
        "M;",
    ),
    "fraction: of zero": (lambda: Fraction(1, 2), [2], 0),
    "fraction: of text": (lambda: Fraction(1, 2), [1], "1"),
    "decimal: vast": (lambda: Decimal(1), [1], "1e999999"),
    "zone: a file": (lambda: zoneinfo.ZoneInfo("UTC"), [1], "../../etc/passwd"),
    "datetime: no month": (lambda: datetime.datetime(2024, 1, 1), [2], 13),
    "match: nothing": (lambda: re.search("b", "abc"), [3], "match"),
    "match: a method": (lambda: re.search("b", "abc"), [3], "__reduce__"),
    "pattern: vast": (lambda: re.compile("a"), [1], "a" * 20_000),
    "member: of what is no Enum": (lambda: signal.SIGINT, [2], "signal"),
    "member: of the judge's": (lambda: signal.SIGINT, [1], "autograder.judge.result"),
    "sparse: an index beyond": (lambda: scipy.sparse.csr_matrix(np.eye(2)), [1], [2, 1]),
    "sparse: a huge shape": (lambda: scipy.sparse.lil_matrix(np.eye(2)), [1], [10**9, 10**9]),
    "sympy: a function of Python": (lambda: sympy.sin(sympy.Symbol("x")), [1, 1], "sympify"),
    "sympy: a text": (lambda: sympy.sin(sympy.Symbol("x")), [1, 2, 0], "x"),
    "sympy: an attribute": (lambda: sympy.pi, [1, 1], "register"),
    "sympy: without end": (lambda: sympy.sin(sympy.Symbol("x")), [1], "deep"),
    "matrix: a huge shape": (lambda: sympy.Matrix([1]), [1], [10**6, 10**6]),
    "deque: a length that is none": (lambda: collections.deque([1], 3), [3], -1),
    "path: no text": (lambda: pathlib.Path("a"), [1], 3),
    "registered: nothing": (lambda: Fraction(1, 2), [0], "registered"),
}


def deep(tag):
    value = 1
    for _ in range(1000):
        value = [tag, "sin", [value]] if tag == "node" else ["sub", value, [1]]
    return value


def forms(name, changed):
    """The honest form of a value, or the form with the lie, and its buffers."""
    ours, _ = socket.socketpair()
    encoder = CandidateEncoder(CandidateObjects(Channel(ours), {}))
    form = encoder.encode(LIES[name][0]())
    form = json.loads(json.dumps(form))
    if changed:
        *path, last = LIES[name][1]
        part = form
        for step in path:
            part = part[step]
        lie = LIES[name][2]
        part[last] = deep("node" if name.startswith("sympy") else "sub") if lie == "deep" else lie
    return form, [memoryview(bytearray(buffer)) for buffer in encoder.buffers]


@pytest.mark.parametrize("name", LIES)
def test_a_lie_about_a_value_is_an_ordinary_error(name):
    def decoded(changed):
        ours, _ = socket.socketpair()
        peer = JudgePeer(Channel(ours), Notebook(), lambda number: None)
        form, buffers = forms(name, changed)
        return JudgeDecoder(peer, buffers).decode(form)

    assert decoded(changed=False) is not None
    before, believed = memory(), True
    try:
        decoded(changed=True)
    except (AssertionError, NameError, ImportError, SystemError):
        raise  # these count as faults of the judge
    except Exception:
        believed = False
    assert not believed
    assert memory() - before < 64 << 20


def test_malformed_frames_end_in_a_typed_error():
    run_attack(seed=1, frames=4_000)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 7))
def test_many_malformed_frames_end_in_a_typed_error(seed):
    run_attack(seed, frames=20_000)
