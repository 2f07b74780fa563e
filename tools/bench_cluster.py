"""Times a cluster of local workers beside the local engine, on the same cores, in one run.

python -m tools.bench_cluster --size 200
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from autograder.machine.bench import TRIVIAL, hand_in, trivial_course


def main() -> None:
    """Print one line for each engine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=200, help="how many submissions")
    parser.add_argument("--workers", type=int, default=1, help="workers that share the cores")
    parser.add_argument("--no-local", action="store_true", help="leave the local engine out")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-cluster-") as folder:
        course = trivial_course(Path(folder) / "course")
        hand_in(course, TRIVIAL, chosen.size)
        print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
        local = [sys.executable, "-m", "autograder", "cluster", "local", "--port", "0"]
        command = [*local, "--workers", str(chosen.workers)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as cluster:
            assert cluster.stdout is not None
            address = cluster.stdout.readline().strip()
            try:
                report("cluster, first", course.root, chosen.size, "--cluster", address)
                report("cluster, warm", course.root, chosen.size, "--cluster", address)
            finally:
                cluster.terminate()
        if not chosen.no_local:
            report("local", course.root, chosen.size)


def report(name: str, folder: Path, size: int, *options: str) -> None:
    """Grade the class anew, and print its time and the command's largest memory."""
    command = [sys.executable, "-m", "autograder", "grade", TRIVIAL, "--force", *options]
    started = time.perf_counter()
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    assert process.returncode == 0, f"{name} failed"
    print(
        f"{name}: {size} submissions in {seconds:.1f} s, {size / seconds:.1f} a second;"
        f" the command: {used.ru_utime + used.ru_stime:.1f} s of a core, or with its children,"
        f" {used.ru_maxrss // 1024} MiB at most; load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
