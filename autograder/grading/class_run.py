"""Grades a class: finds what is new or changed, has it run, and records each result."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from autograder.assignment import Assignment
from autograder.attempts.decision_table import Decision, decisions_of
from autograder.course import Course
from autograder.errors import CourseError
from autograder.grading.apply_decisions import apply_decisions
from autograder.grading.decisions import decided, rulings
from autograder.grading.first_attempts import FirstAttempts
from autograder.grading.prepare import submission_digest, timestamp_of
from autograder.grading.record import (
    backup,
    record,
    results_of,
    settle_folders,
    update_lateness,
)
from autograder.grading.result import Outcome, Result
from autograder.grading.runs import Run, failure_of
from autograder.grading.settings import ENGINE, Settings

if TYPE_CHECKING:
    from nbgrader.api import Gradebook

RunAll = Callable[[Assignment, dict[str, str], FirstAttempts], Iterator[Run]]


def grade_class(
    course: Course,
    name: str,
    settings: Settings,
    run_all: RunAll,
    *,
    only: str | None,
    force: bool,
    on_start: Callable[[int], None],
    on_outcome: Callable[[Outcome], None],
) -> list[Outcome]:
    """Grade with `run_all`, which runs the submissions; see `grade` for the other arguments."""
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
        for run in run_all(assignment, {student: keys[student] for student in todo}, first):
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
