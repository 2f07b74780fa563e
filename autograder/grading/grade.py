"""Grades a class: prepare → execute → record for every submission, over all cores."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autograder.assignment import Assignment, read_sources
from autograder.course import Course
from autograder.errors import (
    AutograderError,
    JudgeFailedError,
    SubmissionError,
    TestsRefusedError,
)
from autograder.grading.execute import Executed, execute
from autograder.grading.prepare import Prepared, prepare, submission_digest, timestamp_of
from autograder.grading.record import backup, record, results_of, settle_folders
from autograder.grading.reference import reference
from autograder.grading.result import Result
from autograder.grading.score import score, unreadable
from autograder.grading.settings import Settings, require_device, require_isolation
from autograder.grading.warm_up import Warm, warm_processes
from autograder.judge.result import Ended
from autograder.log import LOGGER, write_fault
from autograder.sandbox.launch import DEFAULT_LIMITS
from autograder.sandbox.limits import Limits

if TYPE_CHECKING:
    from nbgrader.api import Gradebook

# Part of every result's key: raise it when scores may come out differently, and all is regraded.
ENGINE = "6"


class RunStoppedError(AutograderError):
    """A fault of the machine's or of ours that no submission could be run with."""


@dataclass(frozen=True)
class Outcome:
    """What became of one submission in this run.

    Attributes:
        student: the student's id.
        result: what the gradebook now holds; None if the machine failed, not the submission.
        fresh: False if it had been graded before and nothing changed since.
        failure: how the machine failed; the gradebook was left as it was.
    """

    student: str
    result: Result | None
    fresh: bool = True
    failure: str | None = None


def grade(
    course: Course,
    name: str,
    *,
    jobs: int | None = None,
    device: str = "auto",
    isolated: bool = True,
    only: str | None = None,
    force: bool = False,
    limits: Limits = DEFAULT_LIMITS,
    on_start: Callable[[int], None] = lambda _: None,
    on_outcome: Callable[[Outcome], None] = lambda _: None,
) -> list[Outcome]:
    """Grade every submission of an assignment that is new or changed.

    A run that was killed goes on where it stopped: what was recorded is not run again.

    Args:
        course: the course.
        name: the assignment.
        jobs: how many submissions run side by side; default: one a core.
        device: "auto", "cpu" or "cuda".
        isolated: False runs student code unprotected; every result then says so.
        only: the one student to grade.
        force: grade again what has been graded.
        limits: what one submission may use.
        on_start: called once with the number of submissions.
        on_outcome: called after each submission.

    Raises:
        AutograderError: the run stopped, and why.
    """
    require_device(device)
    settings = Settings(isolated=isolated, device=device, config=course.config, limits=limits)
    try:
        return _grade(course, name, settings, jobs, only, force, on_start, on_outcome)
    except AutograderError:
        raise
    except Exception as error:
        raise RunStoppedError(
            f"the run stopped: {error or repr(error)}",
            f"{write_fault(course.root, f'the run stopped: {error!r}', _traceback(error))}; what"
            " was recorded is kept: mend that, then run the command again",
        ) from error


def _grade(
    course: Course,
    name: str,
    settings: Settings,
    jobs: int | None,
    only: str | None,
    force: bool,
    on_start: Callable[[int], None],
    on_outcome: Callable[[Outcome], None],
) -> list[Outcome]:
    # Started first: its imports take seconds, in which this process does its own.
    with warm_processes(read_sources(course, name).values(), settings) as warm:
        assignment = Assignment.load(course, name)
        assignment.check_released(course)
        students = course.students(name, only)
        outcomes: list[Outcome] = []

        def finish(outcome: Outcome) -> None:
            outcomes.append(outcome)
            on_outcome(outcome)

        with course.gradebook() as gradebook:
            settle_folders(course, gradebook, name)
            known = results_of(gradebook, name)
            keys = {one: _key(course, assignment, one, settings) for one in students}
            on_start(len(students))
            todo = []
            for student in students:
                done = not force and student in known and known[student][0] == keys[student]
                if done:
                    finish(Outcome(student, known[student][1], fresh=False))
                else:
                    todo.append(student)
            if todo:  # else nothing is written, and a copy would push the oldest out
                backup(course)
                if settings.isolated:
                    require_isolation()
                warm.await_ready()
            for run in _run(course, assignment, todo, warm, settings, jobs):
                finish(_recorded(course, gradebook, assignment, keys[run.student], run, settings))
        return sorted(outcomes, key=lambda outcome: outcome.student)


@dataclass(frozen=True)
class _Run:
    """One submission on its way: prepared and executed, or how far it came."""

    student: str
    prepared: Prepared | None = None
    executed: Executed | None = None
    problem: SubmissionError | None = None
    failure: str | None = None

    def result(self, assignment: Assignment, engine: dict[str, str]) -> Result:
        if self.prepared and self.executed:
            return score(assignment, self.prepared, self.executed, engine)
        assert self.problem is not None
        return unreadable(assignment, self.student, self.problem, engine)


def _recorded(
    course: Course,
    gradebook: Gradebook,
    assignment: Assignment,
    key: str,
    run: _Run,
    settings: Settings,
) -> Outcome:
    """Record a run; what can't be recorded is that student's failure, and the others go on."""
    if run.failure:
        return Outcome(run.student, None, failure=run.failure)
    try:
        with course.naming_the_gradebook():
            result = record(
                course,
                gradebook,
                assignment,
                key,
                result=run.result(assignment, _engine(settings)),
                notebooks=run.executed.notebooks if run.executed else {},
                files=run.prepared.files if run.prepared else {},
                timestamp=timestamp_of(course, assignment.name, run.student),
            )
    except Exception as error:
        failure = _failure(course, run.student, error, "its result can't be recorded: ")
        return Outcome(run.student, None, failure=failure)
    return Outcome(run.student, result)


def _run(
    course: Course,
    assignment: Assignment,
    students: list[str],
    warm: Warm,
    settings: Settings,
    jobs: int | None,
) -> Iterator[_Run]:
    """Prepare and execute side by side; the results come here one by one, to be recorded."""
    if not students:
        return
    workers = min(jobs or len(os.sched_getaffinity(0)), len(students))

    with ThreadPoolExecutor(workers) as pool:
        refusals = _Refusals(course, assignment, warm, settings)

        def run(student: str) -> _Run:
            LOGGER.info("%s: runs", student)
            try:
                prepared = prepare(course, assignment, student)
                executed = execute(prepared, warm, settings)
                refusals.check(executed)
                return _Run(student, prepared, executed)
            except SubmissionError as problem:
                return _Run(student, problem=problem)
            except TestsRefusedError:  # nobody can pass these tests
                raise
            except Exception as error:  # the machine's fault or ours: it must not stop the others
                return _Run(student, failure=_failure(course, student, error))

        waiting = [pool.submit(run, student) for student in students]
        starved = []
        try:
            for future in as_completed(waiting):
                done = future.result()
                if done.executed and done.executed.starved:
                    starved.append(done.student)
                else:
                    yield done
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
        with ThreadPoolExecutor(1) as alone:  # once more, with nothing beside; this time counts
            for student in starved:
                LOGGER.info("%s: had no processor, runs again alone", student)
                yield alone.submit(run, student).result()


class _Refusals:
    """Tells a test that nobody can pass here from a submission that only this test can't judge.

    The judge refuses some idioms. The first refusal has the reference solution run once.
    """

    def __init__(
        self, course: Course, assignment: Assignment, warm: Warm, settings: Settings
    ) -> None:
        self._run = lambda: execute(reference(course, assignment), warm, settings)
        self._name = assignment.name
        self._lock = threading.Lock()
        self._of_reference: dict[str, str | None] | None = None

    def check(self, executed: Executed) -> None:
        """Make sure that what was refused here isn't refused to the reference solution too.

        Raises:
            TestsRefusedError: it is: the fault is the test's, and no student can have the points.
        """
        refused = _refused(executed)
        if not refused:
            return
        with self._lock:
            if self._of_reference is None:
                self._of_reference = _refused(self._run())
        of_tests = refused.keys() & self._of_reference.keys()
        if of_tests:
            lines = "\n".join(f"  {name}: {self._of_reference[name]}" for name in sorted(of_tests))
            raise TestsRefusedError(
                f"{self._name}: tests that can't be judged, even with the reference solution:\n"
                f"{lines}",
                f"'autograder verify {self._name}' says how to write them; the rest of the class"
                " was not graded",
            )


def _refused(executed: Executed) -> dict[str, str | None]:
    """The cells in which the judge refused what a test asked for, and what that was."""
    return {
        name: cell.reason for name, cell in executed.cells.items() if cell.ended is Ended.REFUSED
    }


def _failure(course: Course, student: str, error: Exception, step: str = "") -> str:
    """What to say of a submission that could not be run; the log has the rest."""
    said = step + (str(error) if isinstance(error, OSError | AutograderError) else repr(error))
    details = _traceback(error)
    if isinstance(error, JudgeFailedError):
        details += f"\nThe judge's own:\n{error.details}"
    return f"{said}\n  → {write_fault(course.root, f'{student}: {said}', details)}"


def _traceback(error: Exception) -> str:
    return "".join(traceback.format_exception(error))


def _key(course: Course, assignment: Assignment, student: str, settings: Settings) -> str:
    """All that a score depends on but the versions of Python and its libraries."""
    submission = submission_digest(course, assignment.name, student)
    settled = json.dumps({"engine": ENGINE} | settings.key, sort_keys=True)
    parts = (settled, assignment.digest, submission)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _engine(settings: Settings) -> dict[str, str]:
    """What, beside tests and submission, a score depends on; it is recorded with every result."""
    isolation = "isolated" if settings.isolated else "none"
    device = "cuda" if settings.gpus else "cpu"
    return {"version": ENGINE, "isolation": isolation, "device": device}
