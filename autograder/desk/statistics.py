"""What a class did in an assignment, in numbers. Everything comes from recorded results."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from autograder.grading.result import Result
from course_utils.quiz import marking
from course_utils.quiz.errors import AnswerError
from course_utils.quiz.numbers import evaluate, fill, matches
from course_utils.quiz.schema import Question

MOST_MESSAGES = 30
MOST_NUMBERS = 8  # different numeric answers that are listed
Scores = dict[str, dict[str, float | None]]
"""For each student, the score of each cell; None if it waits for a person."""


@dataclass(frozen=True)
class Item:
    """One graded cell over the class.

    Attributes:
        name: the cell's id.
        points: points that could be had.
        marked: how many students have a score.
        waiting: how many scores wait for a person.
        difficulty: mean score as a share of the points, 0 (nobody) to 1 (everybody); None if no
            student has a score, or if it doesn't count.
        discrimination: Pearson's correlation of this score with the sum of the student's other
            scores, -1 to 1; None if either is the same for all, or with fewer than three students.
        seconds: mean time that the cell took; None if nobody's is known.
        slowest: the longest time.
    """

    name: str
    points: float
    marked: int
    waiting: int
    difficulty: float | None
    discrimination: float | None
    seconds: float | None
    slowest: float | None


@dataclass(frozen=True)
class Choice:
    """An answer that students gave first.

    Attributes:
        question: the question's id.
        answer: an option, or a number, as text.
        text: the option's text, or '' for a number.
        right: whether it is (a part of) the right answer.
        students: how many gave it.
        misconception: the feedback on it, '' if there is none.
    """

    question: str
    answer: str
    text: str
    right: bool
    students: int
    misconception: str


@dataclass(frozen=True)
class Failure:
    """A message with which students lost points.

    Attributes:
        cell: the cell's id.
        message: the first line of the message.
        students: how many got it.
    """

    cell: str
    message: str
    students: int


def items(results: Iterable[Result], scores: Scores) -> list[Item]:
    """The statistics of each cell, in the order of the notebook.

    Args:
        results: the students' results.
        scores: the scores that count, those that a person gave included.
    """
    results = list(results)
    names = dict.fromkeys(name for result in results for name in result.cells)
    made = []
    for name in names:
        cells = [result.cells[name] for result in results if name in result.cells]
        points = cells[0].max_score
        own = {
            result.student: score
            for result in results
            if (score := scores[result.student].get(name)) is not None
        }
        others = [
            sum(value or 0.0 for cell, value in scores[student].items() if cell != name)
            for student in own
        ]
        times = [cell.seconds for cell in cells if cell.ended is not None]
        made.append(
            Item(
                name=name,
                points=points,
                marked=len(own),
                waiting=len(cells) - len(own),
                difficulty=statistics.fmean(own.values()) / points if own and points else None,
                discrimination=correlation(list(own.values()), others),
                seconds=statistics.fmean(times) if times else None,
                slowest=max(times, default=None),
            )
        )
    return made


def correlation(first: list[float], second: list[float]) -> float | None:
    """Pearson's correlation; None where it isn't defined, or with fewer than three values."""
    if len(first) < 3 or len(set(first)) < 2 or len(set(second)) < 2:
        return None
    value = statistics.correlation(first, second)
    return None if math.isnan(value) else value


def choices(results: Iterable[Result], questions: Mapping[str, Question]) -> list[Choice]:
    """The answers that students gave first, with the misconceptions behind them."""
    results, made = list(results), []
    for question in questions.values():
        first = []
        for result in results:
            entry = result.answers.get(question.id)
            if entry and entry["version"] == question.version:
                try:
                    answer = marking.parse(question, entry["answer"])
                except AnswerError:
                    continue
                first.append((answer, str(entry["student"])))
        if question.kind == "numeric":
            made += _numbers(question, first)
        else:
            made += _options(question, [answer for answer, _ in first])
    return made


def _options(question: Question, answers: list[marking.Answer]) -> list[Choice]:
    assert question.key is not None
    key = question.key
    wanted = key.answer if isinstance(key.answer, list) else [key.answer]
    count = Counter(
        option
        for answer in answers
        for option in (answer if isinstance(answer, list) else [answer])
    )
    return [
        Choice(
            question=question.id,
            answer=str(number),
            text=text,
            right=number in wanted,
            students=count[number],
            misconception="" if number in wanted else key.feedback.get(number, ""),
        )
        for number, text in enumerate(question.options, start=1)
    ]


def _numbers(question: Question, answers: list[tuple[marking.Answer, str]]) -> list[Choice]:
    """Numeric answers: the right ones together, then those of a known misconception, then others.

    Each student has other numbers, so that the answers themselves can't be counted.
    """
    assert question.key is not None
    assert question.tolerance is not None
    count: Counter[tuple[str, str, bool, str]] = Counter()
    for answer, student in answers:
        numbers = question.numbers(student)
        value = float(answer)  # type: ignore[arg-type]
        if marking.mark(question, answer, numbers).right:
            count[str(question.key.answer), "", True, ""] += 1
            continue
        for expression, feedback in question.key.feedback.items():
            if matches(value, evaluate(expression, numbers), question.tolerance):
                text = fill(feedback, numbers) if not question.draw else feedback
                count[str(expression), "", False, text] += 1
                break
        else:
            known = f"{value:.6g}" if not question.draw else "another number"
            count[known, "", False, ""] += 1
    return [
        Choice(question.id, answer, text, right, students, misconception)
        for (answer, text, right, misconception), students in count.most_common(MOST_NUMBERS)
    ]


def failures(results: Iterable[Result]) -> list[Failure]:
    """The messages with which points were lost, the most frequent first."""
    count: Counter[tuple[str, str]] = Counter()
    for result in results:
        for name, cell in result.cells.items():
            if cell.reason and cell.score is not None and cell.score < cell.max_score:
                count[name, cell.reason.strip().splitlines()[0][:200]] += 1
    return [Failure(*key, students) for key, students in count.most_common(MOST_MESSAGES)]
