"""Measures the cost of keeping a student's objects in another process.

    python -m tools.bench_judge     prints each figure beside its bound

All figures come from the same run of this program. For the comparison with a single process, the
same training runs in turn under the judge and in one process. The exit status is 1 if a bound is
missed.
"""

from __future__ import annotations

import contextlib
import functools
import os
import socket
import statistics
import sys
import tempfile
from collections.abc import Callable
from typing import Any

import torch
import torch._dynamo
import torchvision
from nbformat.v4 import new_code_cell, new_notebook

GIVEN = """
import numpy as np
import pandas as pd
import torch, torchvision
from torch import nn
import torch.nn.functional as F
"""
SOLUTION = """
def f(x):
    return x
class Box:
    value = 1
box = Box()
numbers = {f"n{i}": np.random.rand(100_000) for i in range(8)}
texts = {f"t{i}": [f"item {k % 1000}" for k in range(100_000)] for i in range(2)}
table = pd.DataFrame(numbers | texts)
def frame():
    return table.copy()
vgg = torchvision.models.vgg16()
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(3, 8, 3)
        self.l = nn.Linear(8, 10)
    def forward(self, x):
        return self.l(F.relu(self.c(x)).mean((2, 3)))
def train(model, loader, opt):
    for _ in range(2):
        for x, y in loader:
            opt.zero_grad()
            F.cross_entropy(model(x), y).backward()
            opt.step()
"""
TRAIN = """
import time
data = torch.utils.data.TensorDataset(torch.randn(640, 3, 32, 32), torch.randint(10, (640,)))
model = Net()
start = time.perf_counter()
loader = torch.utils.data.DataLoader(data, 32)
opt = torch.optim.SGD(model.parameters(), 0.01)
train(model, loader, opt)
seconds = time.perf_counter() - start
"""
# A name, the body of a test cell, and a bound in seconds. The last line of a body sets `n`, the
# number of repetitions.
LINES: tuple[tuple[str, str, float], ...] = (
    ("a call", "for _ in range(500):\n    _f(1)\nn = 500", 0.3e-3),
    ("an attribute", "for _ in range(500):\n    _box.value\nn = 500", 0.3e-3),
    ("a call by a global name", "for _ in range(500):\n    f(1)\nn = 500", 0.3e-3),
    (
        "4 MB in and out",
        "x = torch.ones(1000, 1000)\nfor _ in range(10):\n    f(x + 1)\nn = 10",
        0.03,
    ),
    (
        "a DataFrame of 100,000 rows, 8 columns of numbers and 2 of text",
        "for _ in range(5):\n    frame()\nn = 5",
        0.06,
    ),
    (
        "parameters of VGG-16",
        "assert sum(p.numel() for p in vgg.parameters()) == 138357544\nn = 1",
        0.1,
    ),
)


def timed(body: str) -> str:
    """Make a test cell that prints the seconds for each repetition of `body`.

    The cell is hidden, so its names stay in the judge's process.
    """
    first, _, last = body.rpartition("\n")
    return (
        "### BEGIN HIDDEN TESTS\nimport time\n_f, _box = f, box\n"
        + "start = time.perf_counter()\n"
        + f"{first}\n{last}\nprint((time.perf_counter() - start) / n)"
    )


def notebook(tests: list[str]) -> Any:
    """Make a notebook with the solution and these test cells."""
    cells = [
        new_code_cell(GIVEN),
        new_code_cell(f"### BEGIN SOLUTION\n{SOLUTION}\n### END SOLUTION"),
    ]
    for position, source in enumerate(tests):
        cell = new_code_cell(source)
        cell.metadata["nbgrader"] = {
            "grade_id": f"test{position}",
            "grade": True,
            "solution": False,
            "locked": True,
            "points": 1,
            "schema_version": 3,
            "task": False,
        }
        cells.append(cell)
    return new_notebook(cells=cells)


def judged(made: Any) -> list[str]:
    """Run a notebook under the judge, and give the last word that each test cell printed."""
    from autograder.judge import candidate_end, session

    judge_socket, candidate_socket = socket.socketpair()
    pid = os.fork()
    if not pid:
        try:
            from autograder.sandbox.shell import Shell

            judge_socket.close()
            candidate_end.serve(candidate_socket, Shell())
        finally:
            os._exit(0)
    candidate_socket.close()
    results = session.run(judge_socket, functools.partial(os.kill, pid), made, made)
    os.waitpid(pid, 0)
    tests = [result for result in results if result.kind == "test"]
    for result in tests:
        if result.score != 1:
            raise SystemExit(f"{result.grade_id}: {result.reason}")
    return [result.outputs[-1]["text"].split()[-1] for result in tests]


def in_one_process(source: str) -> float:
    """Measure the seconds that the training takes if everything is in one process."""
    names: dict[str, Any] = {}
    exec(GIVEN + SOLUTION, names)
    exec(source, names)
    return float(names["seconds"])


def child(work: Callable[[], Any]) -> Any:
    """Do some work in a fork, and give the numbers that it returns.

    A fork is needed because a process can run the judge only once.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            with os.fdopen(writer, "w") as out:
                out.write("\n".join(map(str, work())))
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        words = answer.read().split()
    os.waitpid(pid, 0)
    if not words:
        raise SystemExit("a measure failed: its message is above")
    return [float(value) for value in words]


def main() -> int:
    """Measure in an empty folder, because the judge takes its folder's files for given ones."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        return _report()


def _report() -> int:
    """Print the table. Return 1 if a bound is missed, else 0."""
    timed_notebook = notebook([timed(body) for _, body, _ in LINES])
    runs = [child(lambda: judged(timed_notebook)) for _ in range(3)]
    rows = [
        (name, statistics.median(run[at] for run in runs), bound)
        for at, (name, _, bound) in enumerate(LINES)
    ]
    hidden = "### BEGIN HIDDEN TESTS\n" + TRAIN
    train = notebook([hidden + "print(seconds)"])
    pairs = [
        (child(lambda: judged(train))[0], child(lambda: [in_one_process(TRAIN)])[0])
        for _ in range(5)
    ]
    extra = statistics.median(remote - alone for remote, alone in pairs)
    rows.append(("train(model, loader, opt), more than in one process", extra, 0.2))
    for name, seconds, bound in rows:
        mark = "" if seconds <= bound else "   MISSED"
        print(f"{name:64} {seconds * 1e3:9.3f} ms   at most {bound * 1e3:g} ms{mark}")
    alone = statistics.median(alone for _, alone in pairs)
    print(f"(that training in one process: {alone * 1e3:.0f} ms; torch {torch.__version__},")
    print(f" torchvision {torchvision.__version__}, one thread)")
    return int(any(seconds > bound for _, seconds, bound in rows))


if __name__ == "__main__":
    sys.exit(main())
