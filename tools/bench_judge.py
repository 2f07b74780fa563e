"""Measures what it costs that a student's names live in another process.

    python -m tools.bench_judge          a table, each figure beside its bound; 1 if one is missed

Every figure is taken in one run, the comparison with one process too: the same source is run in
this process and over remotes, in turn.
"""

from __future__ import annotations

import functools
import os
import socket
import statistics
import sys
from collections.abc import Callable
from typing import Any

import torch
import torch._dynamo
import torchvision
from nbformat.v4 import new_code_cell, new_notebook

GIVEN = "import torch, torchvision\nfrom torch import nn\nimport torch.nn.functional as F"
SOLUTION = """
def f(x):
    return x
class Box:
    value = 1
box = Box()
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
# Name, test cell that prints seconds, bound in seconds.
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
        "parameters of VGG-16",
        "assert sum(p.numel() for p in vgg.parameters()) == 138357544\nn = 1",
        0.1,
    ),
)


def timed(body: str) -> str:
    """A test cell, hidden so that its names stay with the test, that prints its seconds."""
    first, _, last = body.rpartition("\n")
    return (
        "### BEGIN HIDDEN TESTS\nimport time\n_f, _box = f, box\n"
        + "start = time.perf_counter()\n"
        + f"{first}\n{last}\nprint((time.perf_counter() - start) / n)"
    )


def notebook(tests: list[str]) -> Any:
    """The notebook with the solution and these test cells."""
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
    """What each test cell printed, under the judge."""
    from autograder.judge import candidate_end, session

    ours, theirs = socket.socketpair()
    pid = os.fork()
    if not pid:
        try:
            from autograder.sandbox.shell import Shell

            ours.close()
            candidate_end.serve(theirs, Shell())
        finally:
            os._exit(0)
    theirs.close()
    results = session.run(ours, functools.partial(os.kill, pid), made, made)
    os.waitpid(pid, 0)
    tests = [result for result in results if result.kind == "test"]
    for result in tests:
        if result.score != 1:
            raise SystemExit(f"{result.grade_id}: {result.reason}")
    return [result.outputs[-1]["text"].split()[-1] for result in tests]


def in_one_process(source: str) -> float:
    """Seconds that the training takes where everything is in one process."""
    names: dict[str, Any] = {}
    exec(GIVEN + SOLUTION, names)
    exec(source, names)
    return float(names["seconds"])


def child(work: Callable[[], Any]) -> Any:
    """The work's result, from a fork: the judge uses its process up."""
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
        found = answer.read().split()
    os.waitpid(pid, 0)
    if not found:
        raise SystemExit("a measure failed: its message is above")
    return [float(value) for value in found]


def main() -> int:
    """Print the table; 1 if a bound is missed."""
    torch.set_num_threads(1)
    made = notebook([timed(body) for _, body, _ in LINES])
    runs = [child(lambda: judged(made)) for _ in range(3)]
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
    over = statistics.median(remote - alone for remote, alone in pairs)
    rows.append(("train(model, loader, opt), more than in one process", over, 0.2))
    for name, seconds, bound in rows:
        mark = "" if seconds <= bound else "   MISSED"
        print(f"{name:52} {seconds * 1e3:9.3f} ms   at most {bound * 1e3:g} ms{mark}")
    alone = statistics.median(alone for _, alone in pairs)
    print(f"(that training in one process: {alone * 1e3:.0f} ms; torch {torch.__version__},")
    print(f" torchvision {torchvision.__version__}, one thread)")
    return int(any(seconds > bound for _, seconds, bound in rows))


if __name__ == "__main__":
    sys.exit(main())
