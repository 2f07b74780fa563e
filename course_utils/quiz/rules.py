"""The rules that a question must keep besides having the right fields."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .document import Fault
from .numbers import DrawError, evaluate, matches, placeholders
from .schema import Key, Question

# When a file is loaded, questions with drawn numbers are tried for these students.
SAMPLE_STUDENTS = [f"sample{number}" for number in range(20)]


def file_faults(assignment: str | None, questions: Sequence[Question]) -> Iterator[Fault]:
    """Find the faults among the questions of one file."""
    seen: set[str] = set()
    for index, question in enumerate(questions):
        if question.id in seen:
            yield ("questions", index, "id"), f"'{question.id}' is used twice: rename one"
        seen.add(question.id)
        if assignment is not None and question.points is None:
            yield ("questions", index, "points"), "is missing: a graded question needs points"
        if assignment is None and question.points is not None:
            yield ("questions", index, "points"), "practice has no points: leave it out"


def question_faults(question: Question, *, public: bool) -> Iterator[Fault]:
    """Find the faults of one question.

    Args:
        question: the question.
        public: whether students have the file. If so, the question must have no key.
    """
    yield from _shape_faults(question)
    if public and question.key is not None:
        yield ("key",), "an answer key must never be in a file that students get: remove it"
    elif not public and question.key is None:
        yield ("key",), "is missing: every question needs its answer and solution"
    elif question.key is not None:
        defined = set(question.draw) | ({"answer"} if question.kind == "numeric" else set())
        for name in sorted(placeholders(question.key.solution) - defined):
            yield ("key", "solution"), f"{{{{{name}}}}} is not drawn: add '{name}' to draw"
        if question.kind == "numeric":
            yield from _numeric_key_faults(question, question.key)
        else:
            yield from _choice_key_faults(question, question.key)


def _shape_faults(question: Question) -> Iterator[Fault]:
    choice = question.kind != "numeric"
    if choice and len(question.options) < 2:
        yield ("options",), f"a {question.kind} choice needs at least two options"
    if not choice and question.options:
        yield ("options",), "a numeric question has none: remove them, or change its kind"
    if len(set(question.options)) < len(question.options):
        yield ("options",), "two options have the same text: change one"
    if choice and question.unit is not None:
        yield ("unit",), "only a numeric question has a unit"
    if choice and question.tolerance is not None:
        yield ("tolerance",), "only a numeric question has a tolerance"
    if not choice and question.tolerance is None:
        yield ("tolerance",), "is missing: 0 for a count, e.g. 0.01 for a measured number"
    if choice and question.draw:
        yield ("draw",), "only a numeric question can have drawn numbers"
    if question.such_that is not None and not question.draw:
        yield ("such_that",), "needs drawn numbers: add draw, or remove it"
    if "answer" in question.draw:
        yield ("draw", "answer"), "is the name of the right answer in a solution: choose another"
    used = placeholders(question.text)
    for name in sorted(used - set(question.draw)):
        yield ("text",), f"{{{{{name}}}}} is not drawn: add '{name}' to draw"
    for name in sorted(set(question.draw) - used):
        yield ("draw", name), f"is drawn but never shown: write {{{{{name}}}}} into the text"


def _choice_key_faults(question: Question, key: Key) -> Iterator[Fault]:
    numbers = set(range(1, len(question.options) + 1))
    given = key.answer if isinstance(key.answer, list) else [key.answer]
    if question.kind == "single" and isinstance(key.answer, list):
        yield ("key", "answer"), "a single choice has one right answer: give one option's number"
    elif question.kind == "multiple" and not isinstance(key.answer, list):
        yield ("key", "answer"), "needs the list of right options, e.g. [1, 3]"
    elif not given or len(set(given)) < len(given):
        yield ("key", "answer"), "needs at least one option, each named once"
    for number in given:
        if number not in numbers:
            yield ("key", "answer"), f"there is no option {number}: 1 to {len(numbers)}"
    for option in key.feedback:
        if option not in numbers:
            yield (
                ("key", "feedback", str(option)),
                f"there is no option {option}: 1 to {len(numbers)}",
            )


def _numeric_key_faults(question: Question, key: Key) -> Iterator[Fault]:
    if isinstance(key.answer, list):
        yield ("key", "answer"), "a numeric answer is one number or one expression"
        return
    for student in SAMPLE_STUDENTS if question.draw else SAMPLE_STUDENTS[:1]:
        try:
            numbers = question.numbers(student)
        except DrawError as error:
            yield ("such_that" if question.such_that else "draw",), str(error)
            return
        try:
            right = evaluate(key.answer, numbers)
        except DrawError as error:
            yield ("key", "answer"), str(error)
            return
        for expression in key.feedback:
            try:
                wrong = evaluate(expression, numbers)
            except DrawError as error:
                yield ("key", "feedback", str(expression)), str(error)
                return
            # With drawn numbers, a wrong computation may give the right number now and then. With
            # fixed numbers, it would do so always, so that is a fault.
            if not question.draw and matches(wrong, right, question.tolerance or 0):
                yield (
                    ("key", "feedback", str(expression)),
                    "would be said to a right answer: remove it",
                )
