"""Compares this engine with stock nbgrader on an assignment's own solutions.

Stock nbgrader is `nbgrader autograde` in a copy of the assignment, with those options of the course
that belong to the assignment and no others. It runs the solutions without isolation, as it would
run a class; they are the instructor's own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder.assignment import Assignment
from autograder.authoring import specimens
from autograder.authoring.release import generate
from autograder.authoring.verify import runner, with_specimen
from autograder.cells import grade_id
from autograder.course import CONFIG_NAME, Course
from autograder.errors import AutograderError
from autograder.grading.execute import Executed
from autograder.grading.prepare import Prepared
from autograder.grading.reference import attempt_log, prepared
from autograder.grading.result import CellResult
from autograder.grading.score import score
from autograder.grading.settings import Settings
from autograder.judge.result import Ended

# The options that say how the assignment's notebooks are to be read and run.
_OF_THE_ASSIGNMENT = (
    "ClearSolutions", "ClearHiddenTests", "ClearMarkScheme", "IncludeHeaderFooter", "Execute",
    "ExecutePreprocessor", "NotebookClient", "IgnorePattern", "LimitOutput",
)  # fmt: skip
_STDERR = "stock nbgrader takes text on stderr for a failure"


class StockError(AutograderError):
    """Stock nbgrader can't grade the assignment at all."""


@dataclass(frozen=True)
class Difference:
    """A cell of a solution to which the two graders give different points.

    Attributes:
        solution: "reference", "release", or the specimen's name.
        cell: the cell's id.
        stock: stock nbgrader's points; None if it couldn't grade the solution.
        judged: this engine's points; None if a person must decide.
        cause: the likely cause.
    """

    solution: str
    cell: str
    stock: float | None
    judged: float | None
    cause: str


@dataclass(frozen=True)
class Compared:
    """The comparison of the two graders.

    Attributes:
        solutions: the names of the compared solutions.
        differences: the cells whose points differ.
    """

    solutions: list[str]
    differences: list[Difference]


@dataclass(frozen=True)
class _Stock:
    """What stock nbgrader made of one solution: points and outputs by the cell's id."""

    points: dict[str, float | None]
    outputs: dict[str, list[NotebookNode]]
    failure: str | None = None


def compare(
    course: Course,
    name: str,
    *,
    jobs: int | None = None,
    every: int = 1,
    on_start: Callable[[int], None] = lambda _: None,
    on_solution: Callable[[str], None] = lambda _: None,
) -> Compared:
    """Grade the reference, the bare release and the specimens with both graders.

    A specimen with `needs_isolation` is wrong only because of what isolation withholds: that stock
    nbgrader gives it more points is no difference.

    Args:
        course: the course.
        name: the assignment's name.
        jobs: how many solutions run at the same time; None: one for each core.
        every: n: of the wrong solutions, only every n-th is graded.
        on_start: called with the number of solutions.
        on_solution: called after each solution.

    Raises:
        ReleaseError: the assignment can't be read.
        SpecimenError: a specimen can't be used.
        StockError: stock nbgrader can't grade the assignment at all.
    """
    settings = Settings.of(course)
    assignment = Assignment.load(course, name)
    loaded = specimens.load_all(course.root / "specimens" / name)
    wrong = [specimen for specimen in loaded if specimen.kind == "wrong"]
    loaded = [s for s in loaded if s.kind != "wrong"] + wrong[::every]
    solutions = {"reference": assignment.sources, "release": assignment.masters}
    solutions |= {specimen.name: with_specimen(specimen, assignment) for specimen in loaded}
    withheld = {specimen.name for specimen in loaded if specimen.needs_isolation}
    answered = attempt_log(course, name)
    logs = dict.fromkeys(solutions, answered)
    logs["release"] = attempt_log(course, name, answered=False)
    plans = [
        prepared(assignment, solution, notebooks, logs[solution])
        for solution, notebooks in solutions.items()
    ]
    on_start(len(solutions))
    differences: list[Difference] = []
    stock = stock_results(course, assignment, solutions, logs, jobs)
    with runner(assignment, settings, jobs) as run_all:
        runs = list(run_all(plans, settings))
    for plan, executed in zip(plans, runs, strict=True):
        found = _differences(assignment, plan, executed, stock[plan.student])
        differences += [
            item
            for item in found
            if not (plan.student in withheld and (item.judged or 0.0) < (item.stock or 0.0))
        ]
        on_solution(plan.student)
    return Compared(list(solutions), differences)


def _differences(
    assignment: Assignment, plan: Prepared, executed: Executed, stock: _Stock
) -> Iterable[Difference]:
    judged = score(assignment, plan, executed, {}).cells
    for name, cell in judged.items():
        points = stock.points.get(name)
        # What a person marks has no points yet with either grader.
        theirs = 0.0 if points is None and stock.failure is None else points
        by_hand = cell.score is None and cell.ended is None
        ours = 0.0 if by_hand else cell.score
        if ours != theirs:
            cause = _cause(cell, stock, name)
            yield Difference(plan.student, name, points, cell.score, cause)


def _cause(cell: CellResult, stock: _Stock, name: str) -> str:
    """The likely cause of a difference, in the words of the grader that gives less."""
    if stock.failure:
        return f"stock nbgrader couldn't grade this solution: {stock.failure}"
    if cell.ended is Ended.REFUSED:
        return f"the judge refuses this test: {cell.reason}"
    outputs = stock.outputs.get(name, [])
    theirs = stock.points.get(name) or 0.0
    if cell.score is None or cell.score < theirs:
        return f"the judge says: {cell.reason}"
    errors = [f"{output.ename}: {output.evalue}" for output in outputs if "ename" in output]
    if errors:
        return f"stock nbgrader says: {errors[0].strip()[:300]}"
    if any(output.get("name") == "stderr" for output in outputs):
        return _STDERR
    return "the two graders read the test's result differently: docs/grading.md lists how"


def stock_results(
    course: Course,
    assignment: Assignment,
    solutions: dict[str, dict[str, NotebookNode]],
    logs: dict[str, dict[str, bytes]],
    jobs: int | None = None,
) -> dict[str, _Stock]:
    """Grade solutions with stock nbgrader, in as many copies of the course as there are jobs.

    Raises:
        StockError: a copy can't be graded at all.
    """
    copies = min(jobs or len(os.sched_getaffinity(0)), len(solutions))
    shares = [dict(list(solutions.items())[first::copies]) for first in range(copies)]
    with (
        tempfile.TemporaryDirectory(prefix="stock-") as folder,
        ThreadPoolExecutor(copies) as pool,
    ):
        places = [_copy(course, assignment, Path(folder) / str(n)) for n in range(copies)]
        graded = pool.map(
            lambda place, share: _grade(place, assignment, share, logs), places, shares
        )
        return {name: result for results in graded for name, result in results.items()}


def stock_config(root: Path) -> str:
    """The text of a configuration without options, for a course folder.

    Where the folders and the gradebook are is stated, because the user's own configuration, which
    nbgrader reads too, may name another gradebook.
    """
    names = ("source", "release", "submitted", "autograded", "feedback")
    structure = "{nbgrader_step}/{student_id}/{assignment_id}"
    return "\n".join(
        [
            "c = get_config()",
            f"c.CourseDirectory.db_url = {f'sqlite:///{root.resolve()}/gradebook.db'!r}",
            f"c.CourseDirectory.directory_structure = {structure!r}",
            *(f"c.CourseDirectory.{name}_directory = {name!r}" for name in names),
            "",
        ]
    )


def _copy(course: Course, assignment: Assignment, root: Path) -> Course:
    """A copy of an assignment as a course of its own, released by nbgrader's own converter."""
    root.mkdir(parents=True)
    shutil.copytree(assignment.folder, root / "source" / assignment.name)
    (root / CONFIG_NAME).write_text(stock_config(root), encoding="utf-8")
    stated: dict[str, Any] = {
        name: dict(course.config[name]) for name in _OF_THE_ASSIGNMENT if name in course.config
    }
    kept = course.config.get("Autograde", {}).get("exclude_overwriting")
    if kept:
        stated["Autograde"] = {"exclude_overwriting": dict(kept)}
    for part in ("header", "footer"):
        if path := stated.get("IncludeHeaderFooter", {}).get(part):
            stated["IncludeHeaderFooter"][part] = str((course.root / path).resolve())
    options = Path(CONFIG_NAME).with_suffix(".json")
    (root / options).write_text(json.dumps(stated, default=str), encoding="utf-8")
    copy = Course(root)
    generate(copy, assignment.name, root / "release", database=True)
    return copy


def _grade(
    copy: Course,
    assignment: Assignment,
    solutions: dict[str, dict[str, NotebookNode]],
    logs: dict[str, dict[str, bytes]],
) -> dict[str, _Stock]:
    for student, notebooks in solutions.items():
        folder = copy.path("submitted", assignment.name, student)
        folder.mkdir(parents=True)
        for file, content in logs[student].items():
            (folder / file).write_bytes(content)
        for notebook, node in notebooks.items():
            nbformat.write(node, folder / f"{notebook}.ipynb")
    command = [sys.executable, "-m", "nbgrader", "autograde", assignment.name, "--create"]
    scripts = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    import_path = os.pathsep.join(entry for entry in sys.path if Path(entry).is_absolute())
    nowhere = {"JUPYTER_CONFIG_DIR": str(copy.root / "none")}
    done = subprocess.run(
        command,
        cwd=copy.root,
        env=os.environ | nowhere | {"PATH": scripts, "PYTHONPATH": import_path},
        capture_output=True,
        text=True,
        check=False,
    )
    last = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "")
    if not any(copy.path("autograded", assignment.name, student).exists() for student in solutions):
        raise StockError(
            f"stock nbgrader grades nothing of '{assignment.name}': {last}",
            "mend what it says, or verify without --stock",
        )
    return {student: _result(copy, assignment, student, last) for student in solutions}


def _result(copy: Course, assignment: Assignment, student: str, last: str) -> _Stock:
    folder = copy.path("autograded", assignment.name, student)
    if not folder.exists():  # nbgrader removes what it couldn't grade
        return _Stock({}, {}, last)
    with copy.gradebook() as gradebook:
        submission = gradebook.find_submission(assignment.name, student)
        points = {
            grade.name: grade.auto_score
            for notebook in submission.notebooks
            for grade in notebook.grades
        }
    outputs = {
        str(grade_id(cell)): cell.get("outputs", [])
        for path in folder.glob("*.ipynb")
        for cell in nbformat.read(path, as_version=4).cells
        if grade_id(cell)
    }
    return _Stock(points, outputs)
