"""Which first attempts count: the service's where there is one, else those of the submitted log.

The marking cells read the log beside the notebook. So before a submission is run, its log is
replaced by one that says what counts, and what the student handed in stays in `submitted/`.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from autograder.attempts.settings import ServiceSettings
from autograder.attempts.store import Attempt, Store
from autograder.course import Course
from autograder.grading.prepare import QUESTIONS, Prepared
from autograder.grading.reading import OverrunError, ReadingError, ask
from course_utils.quiz import bank, log

MOST_KEPT = 100  # attempts at a question; the first one counts
NOT_IN_SERVICE = (
    "it was answered in the log that was handed in, and the attempt service has no attempt:"
    " 'autograder decide accept' lets the log's answer count"
)


@dataclass(frozen=True)
class Ruling:
    """What instructors decided about one student's attempts at an assignment.

    Attributes:
        reopened: for a question whose first attempt was reopened, the time of the reopening.
        accepted: the questions for which the log counts although the service has no attempt, or
            although the log is damaged.
    """

    reopened: Mapping[str, str] = field(default_factory=dict)
    accepted: frozenset[str] = frozenset()


class FirstAttempts:
    """The attempts at an assignment that the service has recorded, read once for a class.

    Args:
        course: the course.
        assignment: the assignment's name.
        rulings: what instructors decided, by student.

    Raises:
        AttemptServiceError: the service's database is there, but can't be read.
    """

    def __init__(self, course: Course, assignment: str, rulings: Mapping[str, Ruling]) -> None:
        self._rulings = rulings
        self._of: dict[str, list[Attempt]] = defaultdict(list)
        self._versions: dict[str, str] = {}
        self._name = assignment
        questions = course.path("source", assignment) / QUESTIONS
        settings = ServiceSettings.of(course)
        if not questions.is_file():
            return
        self._versions = bank.load(questions, beside_notebook=True).versions
        if settings.in_use:
            store = Store(settings)
            for attempt in store.counting(assignment):
                self._of[attempt.student].append(attempt)
            store.engine.dispose()

    @property
    def of_service(self) -> bool:
        """Whether the service owns this assignment's first attempts: it has recorded some."""
        return bool(self._of)

    def digest(self, student: str) -> str:
        """A text that changes when what counts for a student changes; '' if the log counts."""
        ruling = self._rulings.get(student)
        if not self.of_service and ruling is None:
            return ""
        counted = [[one.question, one.version, one.answer] for one in self._of.get(student, [])]
        ruled = [sorted(ruling.reopened.items()), sorted(ruling.accepted)] if ruling else []
        return json.dumps([self.of_service, counted, ruled])

    def settle(self, prepared: Prepared) -> Prepared:
        """The submission with a log of the attempts that count, and notes on disagreements."""
        ruling = self._rulings.get(prepared.student, Ruling())
        if not self._versions:
            return prepared
        submitted = _submitted(prepared.files)
        logged = _after(submitted["attempts"], ruling.reopened)
        if self.of_service:
            entries, notes = self._compare(prepared.student, logged, ruling)
            return self._with_log(prepared, entries, notes)
        if ruling == Ruling() or (submitted["damage"] and not ruling.accepted):
            return replace(prepared, answers=_answers(logged))
        return self._with_log(prepared, logged, [])

    def _compare(
        self, student: str, logged: list[log.Entry], ruling: Ruling
    ) -> tuple[list[log.Entry], list[str]]:
        """The attempts that count, and where the submitted log says something else."""
        recorded = [_entry(attempt) for attempt in self._of.get(student, [])]
        entries, notes = list(recorded), []
        for question in self._versions:
            own = next((entry for entry in recorded if entry["question"] == question), None)
            copy = next((entry for entry in logged if entry["question"] == question), None)
            if own and copy and own["answer"] != copy["answer"]:
                notes.append(
                    f"{question}: the log's first answer is {_short(copy['answer'])}, the service's"
                    f" is {_short(own['answer'])}, which counts"
                )
            elif own and not copy and logged:
                notes.append(f"{question}: the log has no answer; the service's counts")
            elif copy and not own:
                accepted = question in ruling.accepted
                entries.append(copy if accepted else copy | {"review": NOT_IN_SERVICE})
                if not accepted:
                    notes.append(f"{question}: {NOT_IN_SERVICE}")
        return entries, [f"attempt service: {note}" for note in notes]

    def _with_log(self, prepared: Prepared, entries: list[log.Entry], notes: list[str]) -> Prepared:
        files = prepared.files | write_log(self._name, self._versions, entries)
        notes = [*prepared.notes, *notes]
        return replace(prepared, files=files, notes=tuple(notes), answers=_answers(entries))


def write_log(
    assignment: str | None, versions: Mapping[str, str], entries: Iterable[log.Entry]
) -> dict[str, bytes]:
    """The files of a sound attempt log with these events."""
    text, seal = log.whole(assignment, versions, _few_of_each(entries))
    return {log.LOG_NAME: text.encode(), log.SEAL_NAME: seal.encode()}


def _few_of_each(entries: Iterable[log.Entry]) -> list[log.Entry]:
    """The first attempts at each question: a student may send a hundred thousand."""
    kept: list[log.Entry] = []
    counts: Counter[str] = Counter()
    for entry in entries:
        counts[entry["question"]] += 1
        if counts[entry["question"]] <= MOST_KEPT:
            kept.append(entry)
    return kept


def submitted_attempts(files: Mapping[str, bytes]) -> list[log.Entry]:
    """The attempts in the log of a submission; [] if it has none that can be read."""
    attempts: list[log.Entry] = _submitted(files)["attempts"]
    return attempts


def _submitted(files: Mapping[str, bytes]) -> dict[str, Any]:
    content = files.get(log.LOG_NAME, b"")[: log.MAX_BYTES + 1]
    seal = files.get(log.SEAL_NAME, b"")[:1000].decode("latin-1")
    try:
        read: dict[str, Any] = ask("attempts", content, seal=seal)
    except (OverrunError, ReadingError) as error:
        return {"attempts": [], "damage": [error.problem]}
    return read


def _after(attempts: list[log.Entry], reopened: Mapping[str, str]) -> list[log.Entry]:
    """The attempts that were made after the reopening of their question, if there was one."""
    return [entry for entry in attempts if entry["time"] > reopened.get(entry["question"], "")]


def _answers(entries: Iterable[log.Entry]) -> dict[str, dict[str, Any]]:
    """The first attempt at each question, without those that wait for a person."""
    answers: dict[str, dict[str, Any]] = {}
    for entry in entries:
        kept = {name: entry[name] for name in ("answer", "version", "student")}
        answers.setdefault(entry["question"], {} if "review" in entry else kept)
    return {question: answer for question, answer in answers.items() if answer}


def _entry(attempt: Attempt) -> log.Entry:
    return {
        "event": "attempt",
        "question": attempt.question,
        "version": attempt.version,
        "student": attempt.student,
        "answer": attempt.answer,
        "time": attempt.time,
        "record": "attempt service",
    }


def _short(answer: Any) -> str:
    text = json.dumps(answer)
    return text if len(text) <= 40 else text[:39] + "…"
