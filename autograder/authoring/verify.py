"""Tests the tests: what is right must get all points, and what is wrong must not."""

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
from autograder.grading.prepare import Prepared
from autograder.grading.reference import attempt_log, prepared, reference
from autograder.grading.result import Result
from autograder.grading.score import score
from autograder.grading.settings import Settings, require_device
from autograder.grading.warm_up import warm_processes
from autograder.log import LOGGER


@dataclass(frozen=True)
class Trial:
    """One notebook that was graded to see whether the tests are right.

    Attributes:
        name: what was tried: "reference", "release", a specimen's name, or the seeds.
        kind: "reference", "release", "wrong", "alternative", or "seeds": the reference again, with
            other seeds in the tests.
        result: how it was graded.
        problems: where that is not what it should be; empty if all is well.
    """

    name: str
    kind: str
    result: Result
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """What `verify` found.

    Attributes:
        trials: all that was graded.
        thresholds: what the tests compare, over all seeds, the nearest first.
    """

    trials: list[Trial]
    thresholds: list[Threshold]

    @property
    def problems(self) -> list[str]:
        """All that is not as it must be; empty if the tests are right."""
        near = [one for one in self.thresholds if one.deviations < DEVIATIONS]
        return [f"{one.name}: {text}" for one in self.trials for text in one.problems] + [
            f"{one.place}: its threshold is {one.deviations:.1f} standard deviations from what the"
            f" reference gives with {RUNS} seeds, and must be {DEVIATIONS:g}: move it, or test more"
            for one in near
        ]


@dataclass(frozen=True)
class _Plan:
    """A notebook to be graded, and what its result must be."""

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
    """Grade, as if students had handed them in, what the tests must accept and what they mustn't.

    That is the reference solution, the empty release, each file of specimens/ASSIGNMENT, and the
    reference again with other seeds in the tests.

    Args:
        course: the course.
        name: the assignment.
        jobs: how many notebooks run side by side; default: one a core.
        quick: leaves the other seeds out, and with them the thresholds.
        device: "auto", "cpu" or "cuda": what models may run on.
        on_start: called with the number of trials; again if it grows.
        on_trial: called after each.

    Raises:
        ReleaseError: the assignment can't be read.
        SpecimenError: a specimen can't be read, or replaces what there is not.
        CourseError: there is no such device.
    """
    require_device(device)
    assignment = Assignment.load(course, name)
    log = attempt_log(course, name)
    trials: list[Trial] = []
    measured: list[NotebookNode] = []
    settings = Settings(config=course.config, device=device)

    def grade(plans: list[_Plan]) -> None:
        for plan, executed in zip(plans, run_all([plan.prepared for plan in plans]), strict=True):
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
        if near := {one.cell for one in thresholds(measured) if one.deviations < NEAR}:
            more = _with_seeds(assignment, log, range(FIRST_RUNS + 1, RUNS + 1), near)
            on_start(len(plans) + len(more))
            grade(more)
    return Report(trials, thresholds(measured))


def _plans(course: Course, assignment: Assignment, log: dict[str, bytes]) -> list[_Plan]:
    """The reference, the empty release, and each file of specimens/."""
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
    """The reference with other seeds in the tests: in all of them, or in some, and no others."""
    plans = []
    for run in runs:
        seeded = {one: with_seeds(source, run) for one, source in assignment.sources.items()}
        again = prepared(assignment, f"seeds + {run * STEP}", bare(assignment.sources), log)
        if tests is not None:
            again = _without(again, lambda cells: spare(cells, tests))
        plans.append(_Plan("seeds", replace(again, sources=seeded), _be_full))
    return plans


@contextlib.contextmanager
def runner(
    assignment: Assignment, settings: Settings, jobs: int | None
) -> Iterator[Callable[[Sequence[Prepared]], Iterator[Executed]]]:
    """What runs candidates side by side, forked from warm processes; results in the same order.

    Who ran out of time because others had the processors runs again, with nothing beside it.
    """
    with (
        warm_processes(assignment.sources.values(), settings) as warm,
        ThreadPoolExecutor(jobs or len(os.sched_getaffinity(0))) as pool,
    ):

        def run_all(candidates: Sequence[Prepared]) -> Iterator[Executed]:
            running = [pool.submit(execute, one, warm, settings) for one in candidates]
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
    """The reference solution with the cells of a specimen, in the notebook that has the first."""
    first = next(iter(specimen.cells))
    for name, source in assignment.sources.items():
        if any(grade_id(cell) == first for cell in source.cells):
            return assignment.sources | {name: specimens.apply(specimen, source)}
    return {name: specimens.apply(specimen, source) for name, source in assignment.sources.items()}


def bare(notebooks: dict[str, NotebookNode]) -> dict[str, NotebookNode]:
    """Notebooks without the code that shows something only.

    A student may delete it, so no test may need it; and it takes half of a run's time.
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
    """The reference with some cells changed, without what says what the reference says.

    Args:
        assignment: the assignment.
        name: of the change.
        notebooks: the notebooks with the change.
        changed: ids of the cells that are changed.
        log: the attempt log.
    """
    whole = prepared(assignment, name, bare(notebooks), log)
    return _without(whole, lambda cells: unreached(cells, changed))


def _without(
    whole: Prepared, tests: Callable[[Sequence[NotebookNode]], Collection[str]]
) -> Prepared:
    """A prepared submission without the tests of each notebook that a function names."""
    kept = {}
    for one, notebook in whole.notebooks.items():
        gone = tests(notebook.cells)
        cells = [cell for cell in notebook.cells if grade_id(cell) not in gone]
        kept[one] = NotebookNode(notebook | {"cells": cells})
    return replace(whole, notebooks=kept)


def _unsupported(assignment: Assignment) -> list[str]:
    """What the tests ask for that the judge can't do, each with its rewrite."""
    from autograder.judge.unsupported import unsupported  # imports torch, while runs go on

    return [
        f"{found.grade_id}, line {found.line}: {found.what}: {found.rewrite}"
        for source in assignment.sources.values()
        for found in unsupported(source)
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
    """What is wrong unless exactly the tests that the specimen names reject it, as it says."""

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
