"""Tests the tests: right solutions must get all points, and wrong solutions must not."""

from __future__ import annotations

import contextlib
import copy
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace

from nbformat import NotebookNode

from autograder.assignment import Assignment
from autograder.authoring import specimens
from autograder.authoring.reach import spare, unreached
from autograder.authoring.specimens import Specimen
from autograder.authoring.thresholds import (
    DEVIATIONS,
    FIRST_RUNS,
    NEAR,
    RUNS,
    STEP,
    Threshold,
    thresholds,
    with_seeds,
)
from autograder.cells import grade_id
from autograder.course import Course
from autograder.grading.execute import Executed, execute
from autograder.grading.log import LOGGER
from autograder.grading.prepare import Prepared
from autograder.grading.reference import attempt_log, prepared, reference
from autograder.grading.result import Result
from autograder.grading.score import score
from autograder.grading.settings import Settings, require_device
from autograder.grading.warm_up import warm_processes


@dataclass(frozen=True)
class Trial:
    """A solution that was graded to see whether the tests are right.

    Attributes:
        name: "reference", "release", a specimen's name, or the shift of the seeds.
        kind: "reference", "release", "wrong", "alternative" or "seeds". "seeds" is the reference
            with other seeds in the tests.
        result: the result of grading it.
        problems: where the result isn't as it must be; empty if all is well.
    """

    name: str
    kind: str
    result: Result
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """The findings of `verify`.

    Attributes:
        trials: all graded solutions.
        thresholds: the tests' comparisons with all seeds; the nearest to its threshold first.
    """

    trials: list[Trial]
    thresholds: list[Threshold]

    @property
    def notes(self) -> list[str]:
        """What an instructor should know of a test that is right, from the reference's run."""
        return [
            note
            for trial in self.trials
            if trial.kind == "reference"
            for note in trial.result.notes
        ]

    @property
    def problems(self) -> list[str]:
        """All problems of the tests; empty if the tests are right."""
        near = [threshold for threshold in self.thresholds if threshold.deviations < DEVIATIONS]
        return [f"{trial.name}: {text}" for trial in self.trials for text in trial.problems] + [
            f"{item.place}: its threshold is {item.deviations:.1f} standard deviations from"
            f" what the reference gives with {RUNS} seeds, and must be {DEVIATIONS:g}: move it, or"
            " test more"
            for item in near
        ]


@dataclass(frozen=True)
class _Plan:
    """A solution to be graded, and a function that returns the problems of its result."""

    kind: str
    prepared: Prepared
    examine: Callable[[Result], list[str]]


def verify(
    course: Course,
    name: str,
    *,
    jobs: int | None = None,
    quick: bool = False,
    device: str = "auto",
    on_start: Callable[[int], None] = lambda _: None,
    on_trial: Callable[[Trial], None] = lambda _: None,
) -> Report:
    """Grade solutions that the tests must accept, and solutions that the tests must reject.

    They are the reference solution, the empty release, the files of specimens/ASSIGNMENT, and the
    reference with other seeds in the tests. They are graded like submissions.

    Args:
        course: the course.
        name: the assignment's name.
        jobs: how many solutions run at the same time; None: one for each core.
        quick: whether to leave out the other seeds, and with them the thresholds.
        device: "auto", "cpu" or "cuda": the device that models may run on.
        on_start: called with the number of trials, and again if the number grows.
        on_trial: called after each trial.

    Raises:
        ReleaseError: the assignment can't be read.
        SpecimenError: a specimen can't be read, or replaces a cell that doesn't exist.
        CourseError: the machine doesn't have the device.
    """
    require_device(device)
    assignment = Assignment.load(course, name)
    log = attempt_log(course, name)
    trials: list[Trial] = []
    measured: list[NotebookNode] = []
    settings = Settings.of(course, device=device)

    def grade(plans: list[_Plan]) -> None:
        runs = run_all([plan.prepared for plan in plans], settings)
        for plan, executed in zip(plans, runs, strict=True):
            result = score(assignment, plan.prepared, executed, {})
            problems = _unsupported(assignment) if plan.kind == "reference" else []
            problems += plan.examine(result)
            trials.append(Trial(plan.prepared.student, plan.kind, result, tuple(problems)))
            measured.extend(executed.notebooks.values() if plan.kind == "seeds" else ())
            on_trial(trials[-1])

    with runner(assignment, settings, jobs) as run_all:
        plans = _plans(course, assignment, log)
        if not quick:
            plans += _with_seeds(assignment, log, range(1, FIRST_RUNS + 1))
        on_start(len(plans))
        grade(plans)
        if near := {item.cell for item in thresholds(measured) if item.deviations < NEAR}:
            further = _with_seeds(assignment, log, range(FIRST_RUNS + 1, RUNS + 1), near)
            on_start(len(plans) + len(further))
            grade(further)
    return Report(trials, thresholds(measured))


def _plans(course: Course, assignment: Assignment, log: dict[str, bytes]) -> list[_Plan]:
    """Plans for the reference, the empty release, and the files of specimens/."""
    unanswered = attempt_log(course, assignment.name, answered=False)
    plans = [
        _Plan("reference", reference(course, assignment), _be_full),
        _Plan("release", prepared(assignment, "release", assignment.masters, unanswered), _be_zero),
    ]
    loaded = specimens.load_all(course.root / "specimens" / assignment.name)
    for specimen in sorted(loaded, key=lambda specimen: specimen.kind, reverse=True):
        notebooks = with_specimen(specimen, assignment)
        changed = prepared_changed(assignment, specimen.name, notebooks, specimen.cells, log)
        plans.append(_Plan(specimen.kind, changed, _rejected_by(specimen)))
    return plans


def _with_seeds(
    assignment: Assignment,
    log: dict[str, bytes],
    runs: Iterable[int],
    tests: Collection[str] | None = None,
) -> list[_Plan]:
    """Plans for the reference with other seeds; with `tests`, the other tests are left out."""
    submission = prepared(assignment, "seeds", bare(assignment.sources), log)
    if tests is not None:
        submission = _without(submission, lambda cells: spare(cells, tests))
    plans = []
    for run in runs:
        seeded = {
            notebook: with_seeds(source, run) for notebook, source in assignment.sources.items()
        }
        again = replace(submission, student=f"seeds + {run * STEP}", sources=seeded)
        plans.append(_Plan("seeds", again, _be_full))
    return plans


@contextlib.contextmanager
def runner(
    assignment: Assignment, settings: Settings, jobs: int | None
) -> Iterator[Callable[[Sequence[Prepared], Settings], Iterator[Executed]]]:
    """Yield a function that runs submissions in parallel and yields the runs in the same order.

    Their processes are forked from warm processes, started for `settings`; each call has settings
    of its own for what a run may take. A submission that ran out of time because other processes
    had the processors runs again, with nothing beside it.
    """
    with (
        warm_processes(assignment.sources.values(), settings) as warm,
        ThreadPoolExecutor(jobs or len(os.sched_getaffinity(0))) as pool,
    ):

        def run_all(candidates: Sequence[Prepared], settings: Settings) -> Iterator[Executed]:
            running = [pool.submit(execute, candidate, warm, settings) for candidate in candidates]
            for candidate, run in zip(candidates, running, strict=True):
                executed = run.result()
                if executed.starved:
                    wait(running)
                    LOGGER.info("%s: had no processor, runs again alone", candidate.student)
                    executed = execute(candidate, warm, settings)
                yield executed

        try:
            yield run_all
        finally:
            pool.shutdown(cancel_futures=True)


def with_specimen(specimen: Specimen, assignment: Assignment) -> dict[str, NotebookNode]:
    """The reference solution with a specimen's cells, in the notebook that has the first cell."""
    first = next(iter(specimen.cells))
    for name, source in assignment.sources.items():
        if any(grade_id(cell) == first for cell in source.cells):
            return assignment.sources | {name: specimens.apply(specimen, source)}
    return {name: specimens.apply(specimen, source) for name, source in assignment.sources.items()}


def bare(notebooks: dict[str, NotebookNode]) -> dict[str, NotebookNode]:
    """Notebooks without the code cells that only show something.

    A student may delete these cells, so no test may need them, and they take half of a run's time.
    """
    shorter = copy.deepcopy(notebooks)
    for notebook in shorter.values():
        notebook.cells = [
            cell for cell in notebook.cells if cell.cell_type != "code" or grade_id(cell)
        ]
    return shorter


def prepared_changed(
    assignment: Assignment,
    name: str,
    notebooks: dict[str, NotebookNode],
    changed: Collection[str],
    log: dict[str, bytes],
) -> Prepared:
    """The reference with changed cells, without the tests that the change can't affect.

    Args:
        assignment: the assignment.
        name: the name of the change.
        notebooks: the notebooks with the change.
        changed: ids of the changed cells.
        log: the files of the attempt log.
    """
    whole = prepared(assignment, name, bare(notebooks), log)
    return _without(whole, lambda cells: unreached(cells, changed))


def _without(
    whole: Prepared, tests: Callable[[Sequence[NotebookNode]], Collection[str]]
) -> Prepared:
    """A prepared submission without the tests whose ids the function `tests` returns."""
    notebooks = {}
    for name, notebook in whole.notebooks.items():
        dropped = tests(notebook.cells)
        cells = [cell for cell in notebook.cells if grade_id(cell) not in dropped]
        notebooks[name] = NotebookNode(notebook | {"cells": cells})
    return replace(whole, notebooks=notebooks)


def _unsupported(assignment: Assignment) -> list[str]:
    """Idioms in the tests that the judge doesn't support, with their rewrites."""
    # Here, because it imports torch while solutions already run.
    from autograder.judge.notebook.unsupported import unsupported

    return [
        f"{idiom.grade_id}, line {idiom.line}: {idiom.what}: {idiom.rewrite}"
        for source in assignment.sources.values()
        for idiom in unsupported(source)
    ]


def _be_full(result: Result) -> list[str]:
    return [
        f"{name}: {_points(cell.score)} of {cell.max_score:g} points: {cell.reason}"
        for name, cell in result.cells.items()
        if cell.reason
    ]


def _be_zero(result: Result) -> list[str]:
    return [
        f"{name}: {cell.score:g} points for no work at all"
        for name, cell in result.cells.items()
        if cell.score
    ]


def _rejected_by(specimen: Specimen) -> Callable[[Result], list[str]]:
    """A check that exactly the tests in `specimen.fails` reject it, with their messages."""

    def examine(result: Result) -> list[str]:
        problems = [
            f"{name}: must reject it, but reads nothing of what it changes"
            for name in specimen.fails
            if name not in result.cells
        ]
        for name, cell in result.cells.items():
            wanted = specimen.fails.get(name)
            if wanted is None and cell.reason:
                problems.append(f"{name}: must accept it, but says: {cell.reason}")
            elif wanted is not None and not cell.reason:
                problems.append(f"{name}: must reject it, but accepts it")
            elif wanted is not None and wanted not in str(cell.reason):
                problems.append(f"{name}: must say '{wanted}', but says: {cell.reason}")
        return problems

    return examine


def _points(score: float | None) -> str:
    return "no" if score is None else f"{score:g}"
