"""Makes attempt logs like those that students hand in, to test and to demonstrate grading."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from course_utils.quiz import bank, log
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
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        start = log.first_line(questions.assignment, versions)
        (path / log.LOG_NAME).write_text(start, encoding="utf-8")
        for name, answer in attempts:
            attempt = {"event": "attempt", "question": name, "version": versions[name]}
            attempt |= {"student": student, "answer": answer, "time": when.isoformat()}
            log.append(path, attempt, assignment=questions.assignment, versions=versions)
        return {file.name: file.read_bytes() for file in sorted(path.iterdir())}
