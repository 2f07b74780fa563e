"""Tests the tests: the reference solution must get all points, and the empty release none."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from nbformat import NotebookNode

from autograder import answers
from autograder.assignment import Assignment
from autograder.course import Course
from autograder.execute import Settings, execute, warm_process
from autograder.judge.unsupported import unsupported
from autograder.prepare import Prepared
from autograder.record import Result
from autograder.restore import restore
from autograder.score import score


@dataclass(frozen=True)
class Trial:
    """One notebook that was graded to see whether the tests are right.

    Attributes:
        name: what was tried: "reference", "release", or a check's name.
        result: how it was graded.
        problems: where that is not what it should be; empty if all is well.
    """

    name: str
    result: Result
    problems: tuple[str, ...]


def verify(course: Course, name: str, *, jobs: int | None = None) -> list[Trial]:
    """Grade the reference solution and the release as if students had handed them in.

    Raises:
        ReleaseError: the assignment can't be read.
    """
    assignment = Assignment.load(course, name)
    candidates: dict[str, tuple[dict[str, NotebookNode], Callable[[Result], list[str]]]] = {
        "reference": (assignment.sources, _must_be_full),
        "release": (assignment.masters, _must_be_zero),
    }
    prepared = [
        _prepared(assignment, one, notebooks, _log(course, name, right=one == "reference"))
        for one, (notebooks, _) in candidates.items()
    ]
    settings = Settings(config=course.config)
    with (
        warm_process(assignment.sources.values()) as warm,
        ThreadPoolExecutor(jobs or len(os.sched_getaffinity(0))) as pool,
    ):
        runs = list(pool.map(lambda one: execute(one, warm, settings), prepared))
    problems = {"reference": _unsupported(assignment)}
    trials = []
    for one, run in zip(prepared, runs, strict=True):
        result = score(assignment, one, run, {})
        found = [*problems.get(one.student, ()), *candidates[one.student][1](result)]
        trials.append(Trial(one.student, result, tuple(found)))
    return trials


def _unsupported(assignment: Assignment) -> list[str]:
    """What the tests ask for that the judge can't do, each with its rewrite."""
    return [
        f"{found.grade_id}, line {found.line}: {found.what}: {found.rewrite}"
        for source in assignment.sources.values()
        for found in unsupported(source)
    ]


def _log(course: Course, name: str, *, right: bool) -> dict[str, bytes]:
    """The attempt log of an assignment with graded questions: all answered, or as released."""
    keys = course.root / "keys" / f"{name}.yaml"
    if not keys.exists():
        return {}
    attempts = answers.right_answers(keys, "reference").items() if right else ()
    return answers.log_files(keys, "reference", attempts)


def _prepared(
    assignment: Assignment, name: str, notebooks: dict[str, NotebookNode], log: dict[str, bytes]
) -> Prepared:
    restored = {
        one: restore(notebook, assignment.masters[one])[0] for one, notebook in notebooks.items()
    }
    return Prepared(
        student=name,
        assignment=assignment.name,
        sources=assignment.sources,
        notebooks=restored,
        files=log | assignment.files,
        given=frozenset(assignment.files),
        timestamp=None,
        notes=(),
    )


def _must_be_full(result: Result) -> list[str]:
    return [
        f"{name}: {cell.score:g} of {cell.max_score:g} points: {cell.reason}"
        for name, cell in result.cells.items()
        if cell.score is not None and cell.score < cell.max_score
    ]


def _must_be_zero(result: Result) -> list[str]:
    return [
        f"{name}: {cell.score:g} points for no work at all"
        for name, cell in result.cells.items()
        if cell.score
    ]
