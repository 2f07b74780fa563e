"""Where a question's answers are recorded: in the log beside the notebook, or by a service."""

from __future__ import annotations

import os
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from . import log, service
from .bank import Bank
from .errors import AlreadyAnsweredError, AnswerError
from .schema import Question
from .service import Service, ServiceDownError, ServiceError


def record_of(questions: Bank, question: Question, folder: Path) -> LogRecord:
    """The record that a question in a folder uses: the service if there is one, else the log.

    Practice questions always use the log.

    Raises:
        ServiceError: the folder names a service in a way that can't be used.
    """
    used = service.find(folder) if questions.assignment else None
    if used is None:
        return LogRecord(questions, question, folder)
    return ServiceRecord(questions, question, folder, used)


class LogRecord:
    """The log beside the notebook.

    Attributes:
        attempts: the recorded attempts at the question, the first one first.
        problem: why the record can't be read; '' if it can.
        verdict: verdict, feedback and complete solution of the first attempt, if the record tells
            them; None if not.
        verdict_comes: when the student gets them.
    """

    verdict: dict[str, Any] | None = None
    verdict_comes = "with your feedback"
    asks_student = True
    is_shared = True  # what one form writes, the other forms of the folder show

    def __init__(self, questions: Bank, question: Question, folder: Path) -> None:
        self.questions, self.question, self.folder = questions, question, folder
        self.problem = ""
        self.attempts: list[log.Entry] = []
        self.refresh()

    def refresh(self) -> None:
        """Read the record again: another form, window or kernel may have written to it."""
        self.history = log.read(self.folder)
        self.attempts = self.history.attempts(self.question.id)

    @property
    def name(self) -> str:
        """Which record this is, in words for the student."""
        return f"Your answer is recorded in {log.LOG_NAME}, beside this notebook."

    @property
    def student(self) -> str:
        """The student's id: as given in the log, or else the user name in JupyterHub, or ''."""
        return self.history.student or os.environ.get("JUPYTERHUB_USER", "")

    @property
    def student_fixed(self) -> bool:
        """Whether the id can't be changed any more."""
        return bool(self.history.students)

    def name_student(self, name: str) -> None:
        """Record the student's id.

        Raises:
            AnswerError: it can't be recorded.
        """
        self._append({"event": "student", "student": name})

    def submit(self, answer: Any, seen: int) -> None:
        """Record an attempt.

        Args:
            answer: the answer, from `marking.parse`.
            seen: how many attempts the form showed when the student clicked.

        Raises:
            AnswerError: it can't be recorded. The message is for the student.
        """
        self._append(self._attempt(answer), seen)

    def _attempt(self, answer: Any) -> log.Entry:
        return {
            "event": "attempt",
            "question": self.question.id,
            "version": self.question.version,
            "student": self.student,
            "answer": answer,
        }

    def _append(self, event: log.Entry, seen: int | None = None) -> None:
        try:
            self._write(event, seen)
        except AlreadyAnsweredError:
            raise AnswerError(
                "Not recorded: you have answered this question in another window. What is "
                "recorded is shown here."
            ) from None
        except OSError as error:
            raise AnswerError(
                f"Not recorded: {self.folder / log.LOG_NAME} can't be written ({error.strerror}). "
                "Make the folder writable, or free some space, and submit again."
            ) from None
        finally:
            self.refresh()

    def _write(self, event: log.Entry, seen: int | None) -> None:
        log.append(
            self.folder,
            event,
            assignment=self.questions.assignment,
            versions=self.questions.versions,
            seen=seen,
        )


class ServiceRecord(LogRecord):
    """The attempt service. The log gets a copy of what the service has recorded."""

    asks_student = False  # the service knows it by the token
    is_shared = False

    def __init__(self, questions: Bank, question: Question, folder: Path, used: Service) -> None:
        self._service = used
        self._pending: tuple[Any, str] | None = None  # an answer that may have arrived, and its id
        self._known: dict[str, Any] = {}
        super().__init__(questions, question, folder)

    def refresh(self) -> None:
        """Ask the service; if it doesn't answer, `problem` says so."""
        self.history = log.read(self.folder)
        try:
            self._take(self._service.state(self._assignment, self.question.id))
        except ServiceError as error:
            reason = str(error)
            self.problem = (
                f"{reason[:1].upper()}{reason[1:]}. Nothing can be recorded now. Run this cell "
                "again later."
            )

    @property
    def name(self) -> str:
        """Which record this is, in words for the student."""
        person = f" as {self.student}" if self.student else ""
        return f"Your answer is recorded by the course's attempt service{person}."

    @property
    def student(self) -> str:
        """The student's id, as the service knows it; '' until it has answered."""
        return str(self._known.get("student", ""))

    @property
    def student_fixed(self) -> bool:
        """The id belongs to the token."""
        return True

    def submit(self, answer: Any, seen: int) -> None:  # noqa: ARG002 - the service decides
        """Send an attempt to the service.

        An answer that may have arrived, although no reply came, keeps its client id: it counts
        once, however often it is submitted.
        """
        if self._pending is None or self._pending[0] != answer:
            self._pending = (answer, str(uuid.uuid4()))
        try:
            state = self._service.submit(
                self._assignment,
                self.question.id,
                version=self.question.version,
                answer=answer,
                client=self._pending[1],
            )
        except ServiceDownError as error:
            raise AnswerError(
                f"Not recorded: {error}. Your answer is still in the form: submit it again in a "
                "while. If it arrived after all, it counts once."
            ) from None
        except ServiceError as error:
            self._pending = None
            raise AnswerError(f"Not recorded: {error}") from None
        self._pending = None
        self._take(state)
        with suppress(OSError):  # the service's record counts; the log has a copy
            self._write(self._attempt(answer) | {"record": self._service.name}, None)

    @property
    def _assignment(self) -> str:
        assert self.questions.assignment is not None
        return self.questions.assignment

    def _take(self, state: dict[str, Any]) -> None:
        self.problem, self._known = "", state
        self.attempts = [entry for entry in state["attempts"] if isinstance(entry, dict)]
        self.verdict = state.get("verdict")
        self.verdict_comes = str(state.get("verdict_comes", self.verdict_comes))
