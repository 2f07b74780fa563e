"""Grades submissions as they come in, and tells each student at once what the visible tests say.

Scores go to the gradebook as `autograder grade` writes them. A student's page comes from another
run, of the tests without their hidden parts. So it can't tell anything about hidden tests.
"""

from __future__ import annotations

import ast
import copy
import hashlib
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace

from markupsafe import Markup
from nbformat import NotebookNode

from autograder.assignment import Assignment
from autograder.cells import Region, grade_id, is_test, without_regions
from autograder.course import Course
from autograder.desk.report_page import render
from autograder.errors import AutograderError
from autograder.grading.execute import execute
from autograder.grading.first_attempts import FirstAttempts
from autograder.grading.grade import grade
from autograder.grading.pages import names_of
from autograder.grading.prepare import (
    MAX_WALK,
    exchange_files,
    size_and_time,
    submission_digest,
    walk,
)
from autograder.grading.reference import reference
from autograder.grading.result import Outcome
from autograder.grading.runs import Run, run_here
from autograder.grading.settings import Settings
from autograder.grading.swap import replace_folder
from autograder.grading.warm_up import Warm, warm_processes
from autograder.judge.result import CellResult

_MARK = re.compile(r'<meta name="submission" content="(\w+)">')
_MARK_WITHIN = 4096  # bytes from the start of a page
_LATER = "told with the grades"


class WatchError(AutograderError):
    """nbgrader's exchange refused to collect, or to give feedback back."""


@dataclass(frozen=True)
class Turn:
    """What one look at the submissions found.

    Attributes:
        graded: the outcomes of the submissions that ran.
        told: the students who got a page.
    """

    graded: list[Outcome]
    told: list[str]


class Watch:
    """Looks at the submissions of one assignment, again and again.

    Args:
        course: the course.
        name: the assignment's name.
        jobs: how many submissions run at the same time; None: one for each core.
        exchange: whether submissions come from nbgrader's exchange, and pages go back there.
    """

    def __init__(self, course: Course, name: str, jobs: int | None, *, exchange: bool) -> None:
        self._course = course
        self._name = name
        self._jobs = jobs
        self._exchange = exchange
        self._seen: frozenset[tuple[str, bytes]] | None = None

    def turn(self) -> Turn:
        """Grade what is new, and write the pages of those who have none for what they handed in.

        Raises:
            AutograderError: as `grade`; or the exchange refused.
        """
        if self._exchange:
            self._nbgrader("collect", "--update")
        seen = self._files()
        if seen == self._seen:
            return Turn([], [])
        outcomes = grade(self._course, self._name, jobs=self._jobs)
        told = tell(self._course, self._name, self._jobs)
        if told and self._exchange:
            self._nbgrader("release_feedback")
        if not any(outcome.failure for outcome in outcomes):  # else the next turn tries again
            self._seen = seen
        return Turn([outcome for outcome in outcomes if outcome.fresh], told)

    def _files(self) -> frozenset[tuple[str, bytes]]:
        """Path, time and size of all that a score depends on: cheap to read every few seconds."""
        folders = [(self._course.path("source", self._name), sys.maxsize)]
        folders += [
            (self._course.path("submitted", self._name, student), MAX_WALK)
            for student in self._course.students(self._name)
        ]
        return frozenset(
            (str(path), size_and_time(path))
            for folder, most in folders
            for path in walk(folder, most)
        )

    def _nbgrader(self, command: str, *options: str) -> None:
        done = subprocess.run(  # noqa: S603, its own command
            [sys.executable, "-m", "nbgrader", command, self._name, *options],
            cwd=self._course.root,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            last = " ".join(done.stderr.strip().splitlines()[-1:])
            raise WatchError(
                f"nbgrader {command} {self._name} failed: {last}",
                f"run 'nbgrader {command} {self._name}' in {self._course.root}, and mend what it"
                " says; or watch without --exchange",
            )


def tell(course: Course, name: str, jobs: int | None = None) -> list[str]:
    """Write a page about the visible tests for each student who has none for their submission.

    A page that `autograder feedback` made stays, because it tells more.

    Returns:
        The students who got a page. A submission that the machine couldn't run gets none.
    """
    assignment = visible(Assignment.load(course, name))
    submissions = {
        student: hashlib.sha256(
            f"{assignment.digest} {submission_digest(course, name, student)}".encode()
        ).hexdigest()
        for student in course.students(name)
    }
    todo = [
        student for student, mark in submissions.items() if _is_news(course, name, student, mark)
    ]
    if not todo:
        return []
    settings = Settings.of(course, None, isolated=True, device="auto")
    told = []
    with warm_processes(assignment.sources.values(), settings) as warm:
        checks = _checks(course, assignment, warm, settings)
        first = FirstAttempts(course, name, {})
        for run in run_here(course, warm, settings, jobs, assignment, todo, first):
            if run.failure is None:
                _write(course, assignment, run, checks, submissions[run.student])
                told.append(run.student)
    return sorted(told)


def visible(assignment: Assignment) -> Assignment:
    """The assignment, its tests without their hidden parts."""
    return replace(
        assignment,
        sources=_without_hidden_tests(assignment.sources),
        masters=_without_hidden_tests(assignment.masters),
    )


def _without_hidden_tests(notebooks: dict[str, NotebookNode]) -> dict[str, NotebookNode]:
    copied = copy.deepcopy(notebooks)
    for cell in (cell for notebook in copied.values() for cell in notebook.cells):
        if is_test(cell):
            cell.source = without_regions(cell.source, Region.HIDDEN_TESTS)
    return copied


def _checks(
    course: Course, assignment: Assignment, warm: Warm, settings: Settings
) -> frozenset[str]:
    """The tests that still check something, and that the reference solution passes."""
    warm.await_ready()
    passed = execute(reference(course, assignment), warm, settings).cells
    return frozenset(
        str(name)
        for notebook in assignment.masters.values()
        for cell in notebook.cells
        if is_test(cell) and "quiz" not in cell.metadata.get("tags", []) and _checks_something(cell)
        if (name := grade_id(cell)) in passed and passed[str(name)].reason is None
    )


def _checks_something(cell: NotebookNode) -> bool:
    try:
        nodes = list(ast.walk(ast.parse(cell.source)))
    except SyntaxError:  # a magic; or the hidden part was all that a block had
        return False
    called = [node.func for node in nodes if isinstance(node, ast.Call)]
    names = [getattr(call, "attr", getattr(call, "id", "")) for call in called]
    asserts = any(isinstance(node, ast.Assert) for node in nodes)
    return asserts or any(name.startswith(("assert", "check")) for name in names)


def _is_news(course: Course, name: str, student: str, mark: str) -> bool:
    """Whether a student has no page, or this module's page about another submission."""
    pages = list(course.path("feedback", name, student).glob("*.html"))
    if not pages:
        return True
    with pages[0].open(encoding="utf-8", errors="replace") as file:
        told = _MARK.search(file.read(_MARK_WITHIN))
    return told is not None and told[1] != mark


def _write(
    course: Course, assignment: Assignment, run: Run, checks: Iterable[str], mark: str
) -> None:
    """Put a student's pages in place, one for each notebook."""
    pages: dict[str, bytes] = {}
    for notebook, master in assignment.masters.items():
        names = names_of(master.cells)
        tests = [grade_id(cell) for cell in master.cells if is_test(cell)]
        page = render(
            "visible.html.j2",
            assignment=assignment.name,
            notebook=notebook,
            mark=mark,
            problem=_problem(run),
            tests=[
                (Markup(names[name]), _verdict(run, name) if name in checks else _LATER)  # noqa: S704, escaped there
                for name in tests
                if name is not None
            ],
        )
        pages[f"{notebook}.html"] = page.encode("utf-8", "replace")
    # By these, nbgrader tells to which submission a page belongs.
    pages |= exchange_files(course, assignment.name, run.student)
    replace_folder(course.path("feedback", assignment.name, run.student), pages)


def _problem(run: Run) -> str | None:
    if run.problem is not None:
        return run.problem.problem
    return run.executed.reason if run.executed else None


def _verdict(run: Run, test: str) -> str:
    cells: dict[str, CellResult] = run.executed.cells if run.executed else {}
    if test not in cells:
        return "did not run"
    return cells[test].reason or "passes"
