"""Makes attempt logs like those that students hand in, to test and to demonstrate grading."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from autograder.grading.first_attempts import write_log
from course_utils.quiz import bank
from course_utils.quiz.numbers import evaluate

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def right_answers(keys: Path, student: str) -> dict[str, Any]:
    """The right answer to every question of a key file, computed from the student's numbers."""
    answers = {}
    for name, question in bank.load(keys).questions.items():
        assert question.key is not None
        answer = question.key.answer
        if question.kind == "numeric" and not isinstance(answer, list):
            answer = evaluate(answer, question.numbers(student))
        answers[name] = answer
    return answers


def log_files(
    keys: Path, student: str, attempts: Iterable[tuple[str, Any]], when: datetime = NOON
) -> dict[str, bytes]:
    """The files of an attempt log: the student submitted `attempts` in this order."""
    questions = bank.load(keys)
    versions = questions.versions
    entries = [
        {"event": "attempt", "question": name, "version": versions[name], "student": student}
        | {"answer": answer, "time": when.isoformat()}
        for name, answer in attempts
    ]
    return write_log(questions.assignment, versions, entries)
