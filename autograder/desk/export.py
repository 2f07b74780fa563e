"""Scores as CSV files that the gradebooks of Canvas and Moodle import.

Canvas knows people by its own number (the column "ID"), or by SIS id or login; it takes a column
for each assignment, and its points in a row "Points Possible". In Moodle, the instructor chooses
the column that says who it is, and which column is which grade item; it takes "-" for no grade.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autograder.attempts.csv_cells import safe_cell
from autograder.cells import scored_cells
from autograder.course import Course
from autograder.desk.lms_names import Lms, Person
from autograder.errors import CourseError
from autograder.grading.record import results_of

if TYPE_CHECKING:
    from nbgrader.api import Gradebook

TOTAL = "total"
POINTS_POSSIBLE = "    Points Possible"  # as Canvas writes it
NO_GRADE = {Lms.CANVAS: "", Lms.MOODLE: "-"}  # what changes no grade that is there


@dataclass(frozen=True)
class Scores:
    """What students got in an assignment, as the gradebook has it.

    Attributes:
        assignment: the assignment's name.
        people: all students of the gradebook, sorted by name.
        points: for each item its points; a question that doesn't count isn't there.
        scores: for each student who handed in, the score of each item; None if it waits for a
            person.
        penalties: the late penalty of each student who has one.
    """

    assignment: str
    people: list[Person]
    points: dict[str, float]
    scores: dict[str, dict[str, float | None]]
    penalties: dict[str, float]

    @property
    def waiting(self) -> int:
        """How many scores wait for a person."""
        return sum(score is None for cells in self.scores.values() for score in cells.values())

    def totals(self) -> Scores:
        """The same with one item, the sum after the late penalty, as nbgrader computes it."""
        sums: dict[str, dict[str, float | None]] = {
            student: {TOTAL: self._total(student, cells.values())}
            for student, cells in self.scores.items()
        }
        points = {TOTAL: sum(self.points.values())}
        return Scores(self.assignment, self.people, points, sums, {})

    def _total(self, student: str, scores: Iterable[float | None]) -> float | None:
        got = 0.0
        for score in scores:
            if score is None:
                return None
            got += score
        return max(0.0, got - self.penalties.get(student, 0.0))


def read_scores(course: Course, name: str) -> Scores:
    """The scores of an assignment.

    Raises:
        CourseError: nothing has been graded.
    """
    with course.gradebook() as gradebook:
        recorded = results_of(gradebook, name)
        if not recorded:
            raise CourseError(
                f"nothing of '{name}' has been graded", f"run 'autograder grade {name}'"
            )
        cells = scored_cells(gradebook.find_assignment(name))
        points = {cell.name: cell.max_score for cell in cells}
        in_order = dict.fromkeys(cell for _, result in recorded.values() for cell in result.cells)
        counted = {cell: points[cell] for cell in [*in_order, *points] if points.get(cell)}
        scores, penalties = _recorded(gradebook, name, counted)
        people = [Person.of(student) for student in gradebook.students]
    people.sort(key=lambda one: (one.last_name.casefold(), one.first_name.casefold(), one.id))
    return Scores(name, people, counted, scores, penalties)


def _recorded(
    gradebook: Gradebook, name: str, points: Mapping[str, float]
) -> tuple[dict[str, dict[str, float | None]], dict[str, float]]:
    from nbgrader.api import Assignment, BaseCell, Grade, SubmittedAssignment, SubmittedNotebook
    from sqlalchemy import func, select

    of_assignment = (
        select(SubmittedAssignment.student_id)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
        .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .where(Assignment.name == name)
    )
    grades = (
        of_assignment.join(Grade, Grade.notebook_id == SubmittedNotebook.id)
        .join(BaseCell, Grade.cell_id == BaseCell.id)
        .add_columns(BaseCell.name, Grade.score, Grade.needs_manual_grade)
    )
    scores: dict[str, dict[str, float | None]] = {}
    for student, cell, score, waits in gradebook.db.execute(grades):
        if cell in points:
            scores.setdefault(student, {})[cell] = None if waits else float(score)
    late = of_assignment.add_columns(
        func.sum(func.coalesce(SubmittedNotebook.late_submission_penalty, 0.0))
    ).group_by(SubmittedAssignment.student_id)
    penalties = {student: float(value) for student, value in gradebook.db.execute(late) if value}
    return scores, penalties


def as_csv(scores: Scores, lms: Lms) -> str:
    """The scores as the file that a system imports."""
    about = _CANVAS if lms is Lms.CANVAS else _MOODLE
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*about, *(_title(scores, item, lms) for item in scores.points)])
    if lms is Lms.CANVAS:
        blank = [""] * (len(about) - 1)
        writer.writerow([POINTS_POSSIBLE, *blank, *map(_number, scores.points.values())])
    for person in scores.people:
        got = scores.scores.get(person.id, {})
        cells = [
            NO_GRADE[lms] if got.get(item) is None else _number(got[item]) for item in scores.points
        ]
        writer.writerow([*(safe_cell(read(person)) for read in about.values()), *cells])
    return text.getvalue()


_CANVAS: dict[str, Callable[[Person], str]] = {
    "Student": lambda one: ", ".join(filter(None, (one.last_name, one.first_name))) or one.id,
    "ID": lambda one: one.lms_user_id if one.lms_user_id.isdigit() else "",
    "SIS User ID": lambda one: "" if one.lms_user_id.isdigit() else one.lms_user_id,
    "SIS Login ID": lambda one: one.id,
    "Section": lambda _: "",
}
_MOODLE: dict[str, Callable[[Person], str]] = {
    "First name": lambda one: one.first_name,
    "Last name": lambda one: one.last_name,
    "ID number": lambda one: one.lms_user_id,
    "Email address": lambda one: one.email,
    "Username": lambda one: one.id,
}


def _title(scores: Scores, item: str, lms: Lms) -> Any:
    """An item's column. Moodle has no row for the points, so that they stand in the title."""
    title = scores.assignment if item == TOTAL else f"{scores.assignment}: {item}"
    if lms is Lms.MOODLE:
        title += f" (of {_number(scores.points[item])})"
    return safe_cell(title)


def _number(value: float | None) -> str:
    """A number without an exponent, which the importers would not read."""
    assert value is not None
    return f"{value:.6f}".rstrip("0").rstrip(".")
