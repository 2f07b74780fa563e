"""The graded questions of a course, and when a student may see their verdicts."""

from __future__ import annotations

import datetime
import threading
import time
from importlib import import_module
from typing import Any

from sqlalchemy import create_engine, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from autograder.attempts.decision_table import decisions_in, extension_of
from autograder.attempts.settings import ServiceSettings
from autograder.attempts.store import Attempt
from autograder.course import Course
from course_utils.quiz import bank, marking
from course_utils.quiz.bank import Bank
from course_utils.quiz.errors import BankError
from course_utils.quiz.schema import Question

SECONDS = 5.0  # a due date that was changed counts after so long


class Questions:
    """The questions of all assignments, read again when a file changes.

    Args:
        course: the course; `keys/ASSIGNMENT.yaml` has the questions with their keys.
        settings: the service's settings.
    """

    def __init__(self, course: Course, settings: ServiceSettings) -> None:
        self._course, self._settings = course, settings
        self._banks: dict[str, tuple[int, Bank]] = {}
        self._due: dict[str, tuple[float, datetime.datetime | None]] = {}
        self._lock = threading.Lock()
        self._gradebook = create_engine(str(course.directory.db_url))
        import_module("nbgrader.api")  # takes a second: not at the first request

    def of(self, assignment: str) -> dict[str, Question]:
        """The questions of an assignment by their ids; {} if there is no such assignment.

        Raises:
            BankError: the file of keys is faulty.
        """
        if not assignment.isidentifier():  # else it could name a file elsewhere
            return {}
        path = self._course.root / "keys" / f"{assignment}.yaml"
        with self._lock:
            try:
                changed = path.stat().st_mtime_ns
            except OSError:
                return {}
            if self._banks.get(assignment, (0, None))[0] != changed:
                self._banks[assignment] = (changed, bank.load(path))
            questions = self._banks[assignment][1]
        if questions.assignment != assignment:
            raise BankError(f"{path}: it says that it belongs to '{questions.assignment}'")
        return questions.questions

    def verdict(self, attempt: Attempt) -> dict[str, Any] | None:
        """Verdict, feedback and complete solution of an attempt; None if it isn't time yet."""
        question = self.of(attempt.assignment).get(attempt.question)
        if question is None or question.version != attempt.version:
            return None
        if not self._open(attempt.assignment):
            return None
        numbers = question.numbers(attempt.student)
        marked = marking.mark(question, marking.parse(question, attempt.answer), numbers)
        return {
            "right": marked.right,
            "feedback": marked.feedback,
            "solution": marking.solution(question, numbers),
        }

    def when(self, assignment: str) -> str:
        """When the verdict comes, in words for the student."""
        if self._settings.verdicts == "never":
            return "with your feedback"
        due = self._last_due(assignment)
        if due is None:
            return "with your feedback"
        return f"after the last due date, {due:%Y-%m-%d %H:%M} UTC"

    def _open(self, assignment: str) -> bool:
        if self._settings.verdicts != "after the due date":
            return self._settings.verdicts == "at once"
        due = self._last_due(assignment)
        return due is not None and due < datetime.datetime.now(datetime.UTC).replace(tzinfo=None)

    def _last_due(self, assignment: str) -> datetime.datetime | None:
        """The due date of the last student (UTC), extensions included; None if there is none."""
        known = self._due.get(assignment)
        if known and time.monotonic() - known[0] < SECONDS:
            return known[1]
        try:
            due = self._read_due(assignment)
        except SQLAlchemyError:  # no gradebook yet, or it is locked: nothing is shown too early
            due = None
        self._due[assignment] = (time.monotonic(), due)
        return due

    def _read_due(self, assignment: str) -> datetime.datetime | None:
        from nbgrader.api import Assignment, SubmittedAssignment

        if self._course.database_file and not self._course.database_file.exists():
            return None
        with Session(self._gradebook) as session:
            due = session.scalar(select(Assignment.duedate).where(Assignment.name == assignment))
            recorded = session.execute(
                select(SubmittedAssignment.student_id, SubmittedAssignment.extension)
                .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
                .where(Assignment.name == assignment, SubmittedAssignment.extension.is_not(None))
            ).all()
            decisions = decisions_in(session, assignment)
        if due is None:
            return None
        extensions = {student: extension.total_seconds() for student, extension in recorded}
        # nbgrader keeps extensions in submissions. A student who hasn't handed in has none yet.
        for student in {student for decision in decisions for student in decision.students}:
            if (seconds := extension_of(decisions, student)) is not None:
                extensions[student] = seconds
        last: datetime.datetime = due + datetime.timedelta(seconds=max([0.0, *extensions.values()]))
        return last
