"""Grades a class: prepare → execute → score → record for every new or changed submission."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from autograder.assignment import Assignment, read_sources
from autograder.attempts.decision_table import Decision, decisions_of
from autograder.course import Course
from autograder.errors import AutograderError, CourseError
from autograder.grading.apply_decisions import apply_decisions
from autograder.grading.cluster_place import Place, require_distributed
from autograder.grading.decisions import decided, rulings
from autograder.grading.first_attempts import FirstAttempts
from autograder.grading.log import write_fault
from autograder.grading.prepare import submission_digest, timestamp_of
from autograder.grading.record import (
    backup,
    record,
    results_of,
    settle_folders,
    update_lateness,
)
from autograder.grading.result import Result
from autograder.grading.runs import Run, failure_of, run_here, traceback_of
from autograder.grading.settings import ENGINE, Settings, require_device
from autograder.grading.warm_up import warm_processes
from autograder.sandbox.limits import Limits

if TYPE_CHECKING:
    from nbgrader.api import Gradebook


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
    cluster: Place | None = None,
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
        cluster: the Dask cluster whose workers run the submissions; None: this machine does.
        on_start: called once with the number of submissions.
        on_outcome: called after each submission.

    Raises:
        AutograderError: the run stopped; the message says why.
    """
    if cluster:
        _require_isolated(isolated)
        device = "cpu" if device == "auto" else device  # not what the worker happens to have
    else:
        require_device(device)
    settings = Settings.of(course, limits, isolated=isolated, device=device)
    try:
        return _grade(course, name, settings, cluster, jobs, only, force, on_start, on_outcome)
    except AutograderError:
        raise
    except Exception as error:
        raise RunStoppedError(
            f"the run stopped: {error or repr(error)}",
            f"{write_fault(course.root, f'the run stopped: {error!r}', traceback_of(error))}; what"
            " was recorded is kept: mend that, then run the command again",
        ) from error


def _require_isolated(isolated: bool) -> None:
    if not isolated:
        raise CourseError(
            "--cluster with --isolation none: a student's code could take over the cluster",
            "leave one of the two out; nothing was run",
        )


def _grade(
    course: Course,
    name: str,
    settings: Settings,
    cluster: Place | None,
    jobs: int | None,
    only: str | None,
    force: bool,
    on_start: Callable[[int], None],
    on_outcome: Callable[[Outcome], None],
) -> list[Outcome]:
    with _engine_of(course, name, settings, jobs, cluster) as run_class:
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
            for run in run_class(assignment, {student: keys[student] for student in todo}, first):
                finish(_recorded(course, gradebook, assignment, keys[run.student], run, settings))
            if decisions:  # a release writes the points of all cells anew
                apply_decisions(course, gradebook, name, [d for d in decisions if not d.taken_back])
                gradebook.db.commit()
        return sorted(outcomes, key=lambda outcome: outcome.student)


@contextmanager
def _engine_of(
    course: Course, name: str, settings: Settings, jobs: int | None, cluster: Place | None
) -> Iterator[Callable[[Assignment, dict[str, str], FirstAttempts], Iterator[Run]]]:
    """Yield the function that runs a class: on this machine, or on the workers of a cluster."""
    if cluster is None:
        # Started first: its imports take seconds, in which this process does its own.
        with warm_processes(read_sources(course, name).values(), settings) as warm:
            yield partial(run_here, course, warm, settings, jobs)
    else:
        require_distributed()
        from autograder.grading.on_cluster import Cluster, run_on_cluster

        with Cluster(cluster, settings) as connected:
            yield partial(run_on_cluster, course, connected)


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


def _recorded(
    course: Course,
    gradebook: Gradebook,
    assignment: Assignment,
    key: str,
    run: Run,
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
        failure = failure_of(course, run.student, error, "its result can't be recorded: ")
        return Outcome(run.student, None, failure=failure)
    return Outcome(run.student, result)


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
    return {"version": ENGINE, "isolation": isolation, "device": settings.models_on}
