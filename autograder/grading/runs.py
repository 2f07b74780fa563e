"""Runs the submissions of a class: prepare → execute, on all cores of this machine."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from autograder.assignment import Assignment
from autograder.course import Course
from autograder.errors import (
    AutograderError,
    JudgeFailedError,
    RemoteFailureError,
    SubmissionError,
    TestsRefusedError,
)
from autograder.grading.execute import Executed, execute
from autograder.grading.first_attempts import FirstAttempts
from autograder.grading.log import LOGGER, traceback_of, write_fault
from autograder.grading.prepare import Prepared, prepare
from autograder.grading.reference import reference
from autograder.grading.refusals import Refusals
from autograder.grading.result import Result
from autograder.grading.score import score, unreadable
from autograder.grading.settings import Settings, require_isolation
from autograder.grading.warm_up import Warm


@dataclass(frozen=True)
class Run:
    """One submission: prepared and executed, or the reason why it could not be.

    Attributes:
        student: the student's id.
        prepared, executed: the submission and its run.
        problem: why it can't be run by a machine, so that a person must look.
        failure: how the machine failed, which changes nothing in the gradebook.
    """

    student: str
    prepared: Prepared | None = None
    executed: Executed | None = None
    problem: SubmissionError | None = None
    failure: str | None = None

    def result(self, assignment: Assignment, engine: dict[str, str]) -> Result:
        """The result to record, unless there is a `failure`."""
        if self.prepared and self.executed:
            return score(assignment, self.prepared, self.executed, engine)
        assert self.problem is not None
        return unreadable(assignment, self.student, self.problem, engine)


def run_here(
    course: Course,
    warm: Warm,
    settings: Settings,
    jobs: int | None,
    assignment: Assignment,
    students: Collection[str],
    first: FirstAttempts,
) -> Iterator[Run]:
    """Prepare and execute submissions in parallel; yield the runs one by one, to be recorded."""
    if not students:
        return
    if settings.isolated:
        require_isolation()
    warm.await_ready()
    workers = min(jobs or len(os.sched_getaffinity(0)), len(students))

    with ThreadPoolExecutor(workers) as pool:
        refusals = Refusals(
            assignment.name, lambda: execute(reference(course, assignment), warm, settings)
        )

        def run(student: str) -> Run:
            LOGGER.info("%s: runs", student)
            try:
                prepared = first.settle(prepare(course, assignment, student))
                executed = execute(prepared, warm, settings)
                refusals.check(executed)
                return Run(student, prepared, executed)
            except SubmissionError as problem:
                return Run(student, problem=problem)
            except TestsRefusedError:  # no student can pass these tests
                raise
            except Exception as error:  # not the submission's fault; the others go on
                return Run(student, failure=failure_of(course, student, error))

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


def failure_of(course: Course, student: str, error: Exception, step: str = "") -> str:
    """The message about a submission that could not be run; the log gets the details."""
    message = step + (str(error) if isinstance(error, OSError | AutograderError) else repr(error))
    details = traceback_of(error)
    if isinstance(error, JudgeFailedError | RemoteFailureError) and error.details:
        details += f"\nThe other process's own:\n{error.details}"
    return f"{message}\n  → {write_fault(course.root, f'{student}: {message}', details)}"
