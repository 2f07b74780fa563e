"""Measures the time for one more submission with this engine and with stock nbgrader."""

from __future__ import annotations

import copy
import os
import shutil
import statistics
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
from autograder.grading.record import results_of
from autograder.machine.floor import floor

TRIVIAL = "trivial"
# Our exit codes for a class that was graded; 3: some need a look, as without a log of questions.
GRADED: tuple[int, ...] = (0, 3)


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
        small_core_seconds: processor time of all processes for the small class.
        large_core_seconds: processor time of all processes for the large class.
    """

    grader: str
    small: int
    large: int
    small_seconds: float
    large_seconds: float
    small_core_seconds: float
    large_core_seconds: float

    @property
    def marginal(self) -> float:
        """Seconds for one more submission."""
        return (self.large_seconds - self.small_seconds) / (self.large - self.small)

    @property
    def core_seconds(self) -> float:
        """Processor seconds for one more submission."""
        return (self.large_core_seconds - self.small_core_seconds) / (self.large - self.small)

    @property
    def start_up(self) -> float:
        """Seconds that don't depend on the size of the class."""
        return self.small_seconds - self.small * self.marginal


@dataclass(frozen=True)
class Measured:
    """What one run of `bench` measured.

    Attributes:
        autograder: this engine.
        nbgrader: stock nbgrader; None if it was left out.
        import_torch: seconds of `import torch` in a new process.
        processes: processor seconds of one submission's candidate and judge, their start included.
        floor: processor seconds of the same cells in one warm process.
    """

    autograder: Timing
    nbgrader: Timing | None
    import_torch: float
    processes: float
    floor: float


def bench(course: Course | None, name: str, small: int, large: int, *, stock: bool) -> Measured:
    """Time both graders on classes that hand in the reference solution, in files that all differ.

    Args:
        course: the course that has the assignment; None for a trivial assignment that imports
            torch.
        name: the assignment's name.
        small: size of the smaller class.
        large: size of the larger class.
        stock: whether to time stock nbgrader, too.

    Raises:
        BenchError: a grader failed.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:

        def time_(grader: str) -> tuple[Timing, Course]:
            seconds: list[tuple[float, float]] = []
            for size in (small, large):
                place = Path(folder) / f"{grader}-{size}"
                made = trivial_course(place) if course is None else _copy(course, name, place)
                hand_in(made, name, size)
                seconds.append(_time(grader, made, name))
            (wall, core), (more_wall, more_core) = seconds
            return Timing(grader, small, large, wall, more_wall, core, more_core), made

        ours, graded = time_("autograder")
        theirs = time_("nbgrader")[0] if stock else None
        with graded.gradebook() as gradebook:
            results = [result for _, result in results_of(gradebook, name).values()]
        processes = statistics.mean(result.core_seconds for result in results)
        import_torch, _ = _run("import torch", [sys.executable, "-c", "import torch"], graded.root)
        work = Path(folder) / "floor"
        work.mkdir()
        least = floor(Assignment.load(graded, name), work)
        return Measured(ours, theirs, import_torch, processes, least)


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


def trivial_course(place: Path) -> Course:
    """A new course with one released assignment, which imports torch and has one trivial test."""

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


def hand_in(course: Course, name: str, size: int) -> None:
    """Hand in the reference solution for a class of this size, each copy a little different."""
    assignment = Assignment.load(course, name)
    for number in range(size):
        folder = course.path("submitted", name, f"student{number:04d}")
        folder.mkdir(parents=True)
        for notebook_name, source in assignment.sources.items():
            notebook = copy.deepcopy(source)
            notebook.cells.append(new_markdown_cell(f"The work of student {number}.", id="own"))
            nbformat.write(notebook, folder / f"{notebook_name}.ipynb")


def _time(grader: str, course: Course, name: str) -> tuple[float, float]:
    """Wall and processor seconds of grading a class, from the command's start to its end."""
    command, good = [sys.executable, "-m", "autograder", "grade", name], GRADED
    if grader == "nbgrader":
        good = (0,)
        (course.root / CONFIG_NAME).write_text(stock_config(course.root), encoding="utf-8")
        command = [sys.executable, "-m", "nbgrader", "autograde", name, "--create"]
    return _run(
        f"{grader} on a class that hands in the reference", command, course.root, name, good
    )


def _run(
    what: str, command: list[str], folder: Path, name: str = "", good: tuple[int, ...] = (0,)
) -> tuple[float, float]:
    """Wall seconds of a command, and processor seconds of it and its descendants.

    Raises:
        BenchError: the command's exit code is none of the good ones.
    """
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as printed:
        process = subprocess.Popen(command, cwd=folder, stdout=printed, stderr=printed)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - started
        if process.returncode not in good:
            printed.seek(0)
            raise BenchError(
                f"{what} failed: {_last_line(printed.read())}",
                f"run 'autograder verify {name}' first" if name else "run 'autograder doctor'",
            )
    return seconds, usage.ru_utime + usage.ru_stime


def _last_line(text: str) -> str:
    return " ".join(text.strip().splitlines()[-1:])
