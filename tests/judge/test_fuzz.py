"""A candidate that rewrites its codec: nothing it sends crashes the judge or earns a point.

The judge asks for a name and gets a frame made to deceive as its answer.
"""

import json
import random
import resource
import socket
import struct
import subprocess
import sys

import pytest

from autograder.judge.candidate_codec import CandidateDecoder
from autograder.judge.channel import Channel, FrameLimits
from autograder.judge.errors import CandidateLostError
from autograder.judge.judge_codec import JudgeDecoder
from autograder.judge.judge_end import JudgePeer
from autograder.judge.messages import Answer, Books, Change, Failure, Request, to_json
from autograder.judge.source import Notebook

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
        }.get(tag, [number, items] if draw.random() < 0.5 else [items])
        if tag == "exception":
            known = ["__main__:E", "json.decoder:JSONDecodeError", "unittest.case:SkipTest"]
            names = [draw.choice(known), "builtins:ValueError"]
            tag, base = "remote", draw.choice([None, self.value(depth)])
            arguments = [number, number, None, [names, base]]
        if draw.random() < 0.2:
            arguments = [self.value(depth) for _ in range(draw.randrange(5))]
        return [tag, *arguments]

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


def test_malformed_frames_end_in_a_typed_error():
    run_attack(seed=1, frames=4_000)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 7))
def test_many_malformed_frames_end_in_a_typed_error(seed):
    run_attack(seed, frames=20_000)
