"""Grades a class: prepare → execute → score → record for every submission, on all cores."""

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
from autograder.attempts.decision_table import Decision, decisions_of
from autograder.course import Course
from autograder.errors import (
    AutograderError,
    CourseError,
    JudgeFailedError,
    SubmissionError,
    TestsRefusedError,
)
from autograder.grading.apply_decisions import apply_decisions
from autograder.grading.decisions import decided, rulings
from autograder.grading.execute import Executed, execute
from autograder.grading.first_attempts import FirstAttempts
from autograder.grading.log import LOGGER, write_fault
from autograder.grading.prepare import Prepared, prepare, submission_digest, timestamp_of
from autograder.grading.record import (
    backup,
    record,
    results_of,
    settle_folders,
    update_lateness,
)
from autograder.grading.reference import reference
from autograder.grading.result import Result
from autograder.grading.score import score, unreadable
from autograder.grading.settings import Settings, require_device, require_isolation
from autograder.grading.warm_up import Warm, warm_processes
from autograder.judge.result import Ended
from autograder.sandbox.limits import Limits

if TYPE_CHECKING:
    from nbgrader.api import Gradebook

# A part of every result's key. Raise it when scores may change, so that all is graded again.
ENGINE = "7"


class RunStoppedError(AutograderError):
    """A fault of the machine or of the autograder that keeps every submission from running."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of one submission in this run.

    Attributes:
        student: the student's id.
        result: the result in the gradebook; None if the machine failed, not the submission.
        fresh: False if the submission was graded before and nothing has changed since.
        failure: how the machine failed, which left the gradebook unchanged; None if it didn't.
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
    limits: Limits | None = None,
    on_start: Callable[[int], None] = lambda _: None,
    on_outcome: Callable[[Outcome], None] = lambda _: None,
) -> list[Outcome]:
    """Grade every submission of an assignment that is new or changed.

    A killed run can be continued: submissions that it recorded are not run again.

    Args:
        course: the course.
        name: the assignment's name.
        jobs: how many submissions run at the same time; None: one for each core.
        device: "auto", "cpu" or "cuda".
        isolated: whether to isolate student code; if False, every result says so.
        only: the id of the only student to grade; None: all students.
        force: whether to grade again what is graded already.
        limits: bounds of one submission; None: as the course's options say.
        on_start: called once with the number of submissions.
        on_outcome: called after each submission.

    Raises:
        AutograderError: the run stopped; the message says why.
    """
    require_device(device)
    settings = Settings.of(course, limits, isolated=isolated, device=device)
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
            _require_students(course, gradebook, students)
            recorded = results_of(gradebook, name)
            decisions = decisions_of(gradebook, name)
            gradebook.db.rollback()  # ends the reading: other programs may write
            first = FirstAttempts(course, name, rulings(decisions))
            keys = {
                student: _key(course, assignment, student, settings, first.digest(student))
                for student in students
            }
            on_start(len(students))
            todo = []
            for student in students:
                done = not force and student in recorded and recorded[student][0] == keys[student]
                if done:
                    finish(_again(course, gradebook, recorded[student][1], decisions))
                else:
                    todo.append(student)
            if todo:  # else nothing is written; another copy would replace the oldest
                backup(course)
                if settings.isolated:
                    require_isolation()
                warm.await_ready()
            for run in _run(course, assignment, todo, warm, settings, jobs, first):
                finish(_recorded(course, gradebook, assignment, keys[run.student], run, settings))
            if decisions:  # a release writes the points of all cells anew
                apply_decisions(course, gradebook, name, [d for d in decisions if not d.taken_back])
                gradebook.db.commit()
        return sorted(outcomes, key=lambda outcome: outcome.student)


def _again(
    course: Course, gradebook: Gradebook, result: Result, decisions: list[Decision]
) -> Outcome:
    """The outcome of a submission that was graded before, with its lateness as it is now."""
    with course.naming_the_gradebook():
        result = update_lateness(course, gradebook, result)
        return Outcome(result.student, decided(result, decisions), fresh=False)


def _require_students(course: Course, gradebook: Gradebook, students: list[str]) -> None:
    """Make sure that the gradebook knows the students, if the course wants no others.

    Raises:
        CourseError: somebody else handed in, and `c.Autograde.create_student` is off.
    """
    if course.config.get("Autograde", {}).get("create_student", True):
        return
    known = {student.id for student in gradebook.students}
    if unknown := [student for student in students if student not in known]:
        raise CourseError(
            f"the gradebook doesn't know {', '.join(unknown[:20])}, who handed in, and"
            " c.Autograde.create_student is off",
            "add them with 'nbgrader db student add', or move their folders away; nothing was run",
        )


@dataclass(frozen=True)
class _Run:
    """One submission: prepared and executed, or the reason why it could not be."""

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
    """Record a run; if that fails, return a failure, so that the other submissions go on."""
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
    first: FirstAttempts,
) -> Iterator[_Run]:
    """Prepare and execute submissions in parallel; yield the runs one by one, to be recorded."""
    if not students:
        return
    workers = min(jobs or len(os.sched_getaffinity(0)), len(students))

    with ThreadPoolExecutor(workers) as pool:
        refusals = _Refusals(course, assignment, warm, settings)

        def run(student: str) -> _Run:
            LOGGER.info("%s: runs", student)
            try:
                prepared = first.settle(prepare(course, assignment, student))
                executed = execute(prepared, warm, settings)
                refusals.check(executed)
                return _Run(student, prepared, executed)
            except SubmissionError as problem:
                return _Run(student, problem=problem)
            except TestsRefusedError:  # no student can pass these tests
                raise
            except Exception as error:  # not the submission's fault; the others go on
                return _Run(student, failure=_failure(course, student, error))

        futures = [pool.submit(run, student) for student in students]
        starved = []
        try:
            for future in as_completed(futures):
                done = future.result()
                if done.executed and done.executed.starved:
                    starved.append(done.student)
                else:
                    yield done
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
        with ThreadPoolExecutor(1) as alone:  # again, one at a time; this run counts
            for student in starved:
                LOGGER.info("%s: had no processor, runs again alone", student)
                yield alone.submit(run, student).result()


class _Refusals:
    """Finds out whether a refusal of the judge is a test's fault or due to one submission.

    The judge refuses some idioms. At the first refusal the reference solution is run, once. A test
    that is refused there can't be passed by any student.
    """

    def __init__(
        self, course: Course, assignment: Assignment, warm: Warm, settings: Settings
    ) -> None:
        self._run = lambda: execute(reference(course, assignment), warm, settings)
        self._name = assignment.name
        self._lock = threading.Lock()
        self._of_reference: dict[str, str | None] | None = None

    def check(self, executed: Executed) -> None:
        """Make sure that no test that was refused here is refused for the reference solution, too.

        Raises:
            TestsRefusedError: such a test is the instructor's fault; no student can get its points.
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
    """The names of the cells in which the judge refused a test's request, with the reasons."""
    return {
        name: cell.reason for name, cell in executed.cells.items() if cell.ended is Ended.REFUSED
    }


def _failure(course: Course, student: str, error: Exception, step: str = "") -> str:
    """The message about a submission that could not be run; the log gets the details."""
    message = step + (str(error) if isinstance(error, OSError | AutograderError) else repr(error))
    details = _traceback(error)
    if isinstance(error, JudgeFailedError):
        details += f"\nThe judge's own:\n{error.details}"
    return f"{message}\n  → {write_fault(course.root, f'{student}: {message}', details)}"


def _traceback(error: Exception) -> str:
    return "".join(traceback.format_exception(error))


def _key(
    course: Course, assignment: Assignment, student: str, settings: Settings, attempts: str
) -> str:
    """A hash of all that a score depends on, without the versions of Python and its libraries."""
    submission = submission_digest(course, assignment.name, student)
    settled = json.dumps({"engine": ENGINE} | settings.key, sort_keys=True)
    parts = (settled, assignment.digest, submission, *([attempts] if attempts else []))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _engine(settings: Settings) -> dict[str, str]:
    """What a score depends on besides tests and submission; every result records it."""
    isolation = "isolated" if settings.isolated else "none"
    device = "cuda" if settings.gpus else "cpu"
    return {"version": ENGINE, "isolation": isolation, "device": device}
