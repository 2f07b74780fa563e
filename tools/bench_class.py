"""Times classes of several sizes, with the local engine and clusters of local workers, in one run.

    python -m tools.bench_class --sizes 250 500 1000
    python -m tools.bench_class --sizes 2000 --workers 2 4

Each line gives the largest memory of the command with all its descendants, as proportional set
size (PSS): a page that several processes share is counted once. Under a cluster this is the memory
of the instructor's machine, without the workers'.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from autograder.course import Course
from autograder.grading.record import results_of
from autograder.machine.bench import TRIVIAL, hand_in, trivial_course


def main() -> None:
    """Print one line for each size and engine."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[250, 500, 1000])
    parser.add_argument("--workers", type=int, nargs="*", default=[], help="sizes of clusters")
    parser.add_argument("--no-local", action="store_true", help="leave the local engine out")
    chosen = parser.parse_args()
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
    for size in chosen.sizes:
        with tempfile.TemporaryDirectory(prefix="bench-class-") as folder:
            course = trivial_course(Path(folder) / "course")
            hand_in(course, TRIVIAL, size)
            if not chosen.no_local:
                report("local", course, size)
            for workers in chosen.workers:
                with cluster(workers) as address:
                    name = f"cluster of {workers}"
                    report(f"{name}, first", course, size, "--cluster", address)
                    report(f"{name}, warm", course, size, "--cluster", address)


@contextmanager
def cluster(workers: int) -> Iterator[str]:
    """The address of a cluster of local workers, which share the cores."""
    slots = max(1, (os.cpu_count() or 1) // workers)
    command = [sys.executable, "-m", "autograder", "cluster", "local", "--port", "0"]
    command += ["--workers", str(workers), "--slots", str(slots)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def report(name: str, course: Course, size: int, *options: str) -> None:
    """Grade the class anew, and print what it took."""
    command = [sys.executable, "-m", "autograder", "grade", TRIVIAL, "--force", *options]
    started = time.perf_counter()
    with subprocess.Popen(command, cwd=course.root, stdout=subprocess.DEVNULL) as process:
        with watched(process.pid) as largest:
            _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    assert process.returncode == 0, f"{name} failed"
    with course.gradebook() as gradebook:
        assert len(results_of(gradebook, TRIVIAL)) == size, f"{name} lost results"
    print(
        f"{name}: {size} submissions in {seconds:.1f} s, {size / seconds:.2f} a second;"
        f" {used.ru_utime + used.ru_stime:.1f} s of a core in the command and its descendants,"
        f" {max(largest, default=0) / 2**20:.0f} MiB at most; load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


@contextmanager
def watched(process: int) -> Iterator[list[int]]:
    """Bytes of memory (PSS) of a process and its descendants, five times a second.

    A sample during which a process starts or ends doesn't count: what the process shared would be
    counted twice, or not at all.
    """
    seen: list[int] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.2):
            before = family(process)
            total = sum(pss(member) for member in before)
            if family(process) == before:
                seen.append(total)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def family(process: int) -> list[psutil.Process]:
    """A process and its descendants; empty if it has ended."""
    try:
        parent = psutil.Process(process)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def pss(member: psutil.Process) -> int:
    """Bytes of memory of one process; 0 if it has ended."""
    try:
        return int(member.memory_full_info().pss)
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return 0


if __name__ == "__main__":
    main()
