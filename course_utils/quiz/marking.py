"""Read a student's answer, and mark it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from .errors import AnswerError
from .numbers import Numbers, evaluate, fill, matches
from .schema import Question

Answer = int | list[int] | float
"""An option's number (single), the sorted numbers (multiple), or a number (numeric)."""


@dataclass(frozen=True)
class Verdict:
    """Whether an answer is right, and the feedback on it (Markdown)."""

    right: bool
    feedback: list[str]


def parse(question: Question, given: Any) -> Answer:
    """Read an answer from a form or from a log.

    Args:
        question: the question.
        given: a list of option numbers, or the text that was typed as a number.

    Raises:
        AnswerError: `given` is not an answer to this question. The message is for the student.
    """
    if question.kind == "numeric":
        return _number(given)
    chosen = given if isinstance(given, list) else [given]
    if not all(type(number) is int and 1 <= number <= len(question.options) for number in chosen):
        raise AnswerError(f"Options have the numbers 1 to {len(question.options)}.")
    if question.kind == "single":
        if len(chosen) != 1:
            raise AnswerError("Choose one option first.")
        return int(chosen[0])
    if not chosen:
        raise AnswerError("Choose at least one option first.")
    return sorted(set(chosen))


def _number(given: Any) -> float:
    if isinstance(given, int | float) and not isinstance(given, bool):
        given = repr(given)
    text = given.strip() if isinstance(given, str) else ""
    text = text.replace("\u2212", "-")  # a minus sign copied from a formula
    if not text:
        raise AnswerError("Type a number first.")
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text, re.ASCII):
        raise AnswerError(
            f"'{text[:40]}' is not a number as it is read here: write 0.25 with a point, 290400 "
            "without separators, 1.5e-3 for powers of ten, and no unit."
        )
    value = float(text)
    if not math.isfinite(value):
        raise AnswerError("That number is too large to be meant.")
    return value


def mark(question: Question, answer: Answer, numbers: Numbers) -> Verdict:
    """Mark an answer.

    Args:
        question: the question, with its key.
        answer: the answer, from `parse`.
        numbers: the numbers that were drawn for the student.

    Raises:
        ValueError: the question has no key.
    """
    key = question.key
    if key is None:
        raise ValueError(f"{question.id} has no key here")
    if question.kind == "numeric":
        return _mark_number(question, float(answer), numbers)  # type: ignore[arg-type]
    chosen = answer if isinstance(answer, list) else [answer]
    wanted = key.answer if isinstance(key.answer, list) else [key.answer]
    right = set(chosen) == set(wanted)
    # No feedback on the options that weren't chosen: it would give the answer away before a retry.
    feedback = [
        f"Option {number}: {key.feedback[number]}"
        for number in chosen
        if isinstance(number, int) and number in key.feedback
    ]
    missed = len(set(wanted) - set(chosen))
    if missed:
        feedback += ["An option that belongs to the answer is missing."] * (
            question.kind == "multiple"
        )
    return Verdict(right, feedback)


def _mark_number(question: Question, value: float, numbers: Numbers) -> Verdict:
    key = question.key
    assert key is not None
    assert question.tolerance is not None
    assert not isinstance(key.answer, list)
    if matches(value, evaluate(key.answer, numbers), question.tolerance):
        return Verdict(True, [])
    feedback = [
        fill(text, numbers)
        for expression, text in key.feedback.items()
        if matches(value, evaluate(expression, numbers), question.tolerance)
    ]
    return Verdict(False, feedback[:1])


def in_words(question: Question, answer: Answer) -> str:
    """Write an answer as a part of a sentence: 'option 2', 'options 1 and 4', '0.42'."""
    if question.kind == "numeric":
        return f"{answer:.10g}" + (f" {question.unit}" if question.unit else "")
    chosen = [str(number) for number in (answer if isinstance(answer, list) else [answer])]
    if len(chosen) == 1:
        return f"option {chosen[0]}"
    return f"options {', '.join(chosen[:-1])} and {chosen[-1]}"


def solution(question: Question, numbers: Numbers) -> str:
    """Write the complete solution with the student's numbers, and its source (Markdown).

    In the solution of a numeric question, {{answer}} stands for the right answer.
    """
    assert question.key is not None
    if question.kind == "numeric" and not isinstance(question.key.answer, list):
        right = evaluate(question.key.answer, numbers)
        numbers = {**numbers, "answer": f"{right:.4g}" if right % 1 else f"{right:.0f}"}
    text = fill(question.key.solution, numbers)
    if question.key.source:
        text += f"\n\n*Source: {question.key.source}*"
    return text
