"""The results of a class in an assignment, by student and by test."""

from __future__ import annotations

from dataclasses import dataclass

from autograder.attempts.decision_table import decisions_of
from autograder.course import Course
from autograder.errors import CourseError
from autograder.grading.decisions import decided
from autograder.grading.record import results_of
from autograder.grading.result import Result


@dataclass(frozen=True)
class Item:
    """One grade cell over the whole class.

    Attributes:
        name: the cell's id.
        max_score: points that could be had.
        mean: mean of the scores.
        full: share of the scores that are full, 0 to 1.
        waiting: number of scores that wait for a person.
    """

    name: str
    max_score: float
    mean: float
    full: float
    waiting: int


def results(course: Course, name: str) -> list[Result]:
    """All recorded results of an assignment, sorted by student.

    Raises:
        CourseError: nothing has been graded.
    """
    with course.gradebook() as gradebook:
        decisions = decisions_of(gradebook, name)
        recorded = [
            decided(result, decisions) for _, result in results_of(gradebook, name).values()
        ]
    if not recorded:
        raise CourseError(f"nothing of '{name}' has been graded", f"run 'autograder grade {name}'")
    return sorted(recorded, key=lambda result: result.student)


def items(class_results: list[Result]) -> list[Item]:
    """Statistics of each grade cell; a score that waits for a person doesn't count."""
    names = dict.fromkeys(name for result in class_results for name in result.cells)
    statistics = []
    for name in names:
        cells = [result.cells[name] for result in class_results if name in result.cells]
        scores = [cell.score for cell in cells if cell.score is not None]
        most = cells[0].max_score
        statistics.append(
            Item(
                name=name,
                max_score=most,
                mean=sum(scores) / len(scores) if scores else 0.0,
                full=sum(score == most for score in scores) / len(scores) if scores else 0.0,
                waiting=len(cells) - len(scores),
            )
        )
    return statistics
