"""Measures the warm process and its forks: time to start, to fork, to be ready, and memory.

    python -m tools.bench_sandbox [--forks N] [MODULE …]

The figures are medians of N forks, which run one after another. Run this on a computer that does
nothing else.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

from autograder.sandbox import shell
from autograder.sandbox.launch import WarmProcess, isolation_problem
from autograder.sandbox.limits import MB

MODULES = ["torch", "torchvision", "matplotlib.pyplot"]


def wait_for_word(ready: int, first_cell: bool) -> None:
    """Run in a fork: make a shell, run a cell if asked, send a byte, and wait to be killed."""
    runner = shell.Shell()
    if first_cell:
        runner.run_cell("1 + 1")
    os.write(ready, b"R")
    time.sleep(60)


def own_memory(pid: int) -> int:
    """Count the bytes of a process that it no longer shares, because it has written to them."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("Private_Dirty"))


def measure(warm: WarmProcess, isolated: bool, first_cell: bool) -> tuple[float, float, float, int]:
    """Measure one fork.

    Returns:
        The seconds until the fork is launched, the seconds until it answers, the seconds that its
        end takes, and the bytes of memory that it doesn't share.
    """
    read, write = os.pipe()
    started = time.perf_counter()
    process = warm.launch(
        "tools.bench_sandbox:wait_for_word",
        {"first_cell": first_cell},
        fds=[write],
        isolated=isolated,
    )
    launched = time.perf_counter()
    os.close(write)
    os.read(read, 1)
    answered = time.perf_counter()
    memory = own_memory(process.pid)
    killed = time.perf_counter()
    process.close()
    gone = time.perf_counter()
    os.close(read)
    return launched - started, answered - started, gone - killed, memory


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--forks", type=int, default=30)
    parser.add_argument("modules", nargs="*", default=MODULES)
    options = parser.parse_args()
    if problem := isolation_problem():
        sys.exit(problem)
    started = time.perf_counter()
    with WarmProcess([*options.modules, shell.__name__, "tools.bench_sandbox"]) as warm:
        print(
            f"warm process with {', '.join(options.modules)}: {time.perf_counter() - started:.1f} s"
        )
        print(f"{'a fork, median of ' + str(options.forks):32}{'ready':>8}{'a shell':>9}", end="")
        print(f"{'its end':>9}{'memory':>9}")
        for name, isolated, first_cell in (
            ("not isolated, a shell", False, False),
            ("isolated, a shell", True, False),
            ("isolated, a shell and a cell", True, True),
        ):
            runs = [measure(warm, isolated, first_cell) for _ in range(options.forks)]
            ready, answered, end, memory = map(statistics.median, zip(*runs, strict=True))
            print(f"{name:32}{1e3 * ready:5.0f} ms{1e3 * answered:6.0f} ms", end="")
            print(f"{1e3 * end:6.0f} ms{memory / MB:6.0f} MB")


if __name__ == "__main__":
    main()
