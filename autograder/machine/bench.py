"""Measures the time for one more submission with this engine and with stock nbgrader."""

from __future__ import annotations

import copy
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.assignment import Assignment
from autograder.authoring.release import release
from autograder.authoring.stock import stock_config
from autograder.course import CONFIG_NAME, Course
from autograder.errors import AutograderError

TRIVIAL = "trivial"


class BenchError(AutograderError):
    """A grader failed during the measurement."""


@dataclass(frozen=True)
class Timing:
    """Seconds that one grader took for a small and a large class.

    Attributes:
        grader: "autograder" or "nbgrader".
        small: number of submissions in the small class.
        large: number of submissions in the large class.
        small_seconds: wall time for the small class, with start-up.
        large_seconds: wall time for the large class, with start-up.
    """

    grader: str
    small: int
    large: int
    small_seconds: float
    large_seconds: float

    @property
    def marginal(self) -> float:
        """Seconds for one more submission."""
        return (self.large_seconds - self.small_seconds) / (self.large - self.small)


def bench(course: Course | None, name: str, small: int, large: int) -> list[Timing]:
    """Time both graders on classes that hand in the reference solution, in files that all differ.

    Args:
        course: the course that has the assignment; None for a trivial assignment that imports
            torch.
        name: the assignment's name.
        small: size of the smaller class.
        large: size of the larger class.

    Raises:
        BenchError: a grader failed.
    """
    seconds: dict[tuple[str, int], float] = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for size in (small, large):
            for grader in ("autograder", "nbgrader"):
                place = Path(folder) / f"{grader}-{size}"
                bench_course = (
                    _trivial_course(place) if course is None else _copy(course, name, place)
                )
                _hand_in(bench_course, name, size)
                seconds[grader, size] = _time(grader, bench_course, name)
    return [
        Timing(grader, small, large, seconds[grader, small], seconds[grader, large])
        for grader in ("autograder", "nbgrader")
    ]


def _copy(course: Course, name: str, place: Path) -> Course:
    for part in ("source", "keys", "specimens"):
        if (course.root / part / name).is_dir():
            shutil.copytree(course.root / part / name, place / part / name)
    own_gradebook = f"c.CourseDirectory.db_url = {f'sqlite:///{place.resolve()}/gradebook.db'!r}"
    config = (course.root / CONFIG_NAME).read_text(encoding="utf-8")
    (place / CONFIG_NAME).write_text(f"{config}\n{own_gradebook}\n", encoding="utf-8")
    copied = Course(place)
    release(copied, name)
    return copied


def _trivial_course(place: Path) -> Course:
    def cell(name: str, source: str, **flags: object) -> NotebookNode:
        flags = {"grade": False, "solution": False, "locked": True, "task": False} | flags
        return new_code_cell(
            source, id=name, metadata={"nbgrader": {"grade_id": name, "schema_version": 3, **flags}}
        )

    body = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
    test = "assert (double(torch.ones(3)) == 2).all()"
    notebook = new_notebook(
        cells=[
            cell("imports", "import torch"),
            cell("double", body, solution=True, locked=False),
            cell("test_double", test, grade=True, points=1),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    source = place / "source" / TRIVIAL
    source.mkdir(parents=True)
    nbformat.write(notebook, source / f"{TRIVIAL}.ipynb")
    (place / CONFIG_NAME).write_text(stock_config(place), encoding="utf-8")
    course = Course(place)
    release(course, TRIVIAL)
    return course


def _hand_in(course: Course, name: str, size: int) -> None:
    assignment = Assignment.load(course, name)
    for number in range(size):
        folder = course.path("submitted", name, f"student{number:04d}")
        folder.mkdir(parents=True)
        for notebook_name, source in assignment.sources.items():
            notebook = copy.deepcopy(source)
            notebook.cells.append(new_markdown_cell(f"The work of student {number}.", id="own"))
            nbformat.write(notebook, folder / f"{notebook_name}.ipynb")


def _time(grader: str, course: Course, name: str) -> float:
    command = [sys.executable, "-m", "autograder", "grade", name]
    if grader == "nbgrader":
        (course.root / CONFIG_NAME).write_text(stock_config(course.root), encoding="utf-8")
        command = [sys.executable, "-m", "nbgrader", "autograde", name, "--create"]
    started = time.perf_counter()
    done = subprocess.run(
        command, cwd=course.root, capture_output=True, text=True, env=os.environ, check=False
    )
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise BenchError(
            f"{grader} failed on a class that hands in the reference: {' '.join(last)}",
            f"run 'autograder verify {name}' first",
        )
    return time.perf_counter() - started
