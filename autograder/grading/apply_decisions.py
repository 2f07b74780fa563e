"""Writes what was decided into nbgrader's gradebook, and takes it out again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from autograder.attempts.decision_table import KEY, VOID, Decision, decisions_of, extension_of
from autograder.cells import scored_cells
from autograder.course import Course
from autograder.grading.decisions import decided
from autograder.grading.record import results_in_transaction, write_lateness
from autograder.grading.result import Result

if TYPE_CHECKING:
    from nbgrader.api import Gradebook


def apply_decisions(
    course: Course, gradebook: Gradebook, assignment: str, changed: Iterable[Decision]
) -> None:
    """Make the gradebook say what the decisions that hold say; the caller commits.

    Only what the changed decisions are about is written: after a decision was taken back, the
    gradebook is what it was before.

    Args:
        course: the course.
        gradebook: the gradebook, in whose session the decisions may be new.
        assignment: the assignment's name.
        changed: the decisions that were made or taken back.
    """
    decisions, changed = decisions_of(gradebook, assignment), list(changed)
    session = gradebook.db()
    cells = {one.subject: one for one in changed if one.kind in (VOID, KEY)}
    _write_max_scores(gradebook, assignment, changed, decisions)
    recorded = results_in_transaction(gradebook, assignment)
    for submission in gradebook.assignment_submissions(assignment):
        student = submission.student_id
        _, result = recorded.get(student, ("", None))
        for decision in changed:
            if student in decision.after.get("extension", {}):
                more = extension_of(decisions, student)
                more = decision.before["extension"][student] if more is None else more
                submission.extension = None if more is None else timedelta(seconds=more)
        if result is not None and cells:
            counted = decided(result, decisions)
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    if grade.name in cells and grade.name in counted.cells:
                        _write_grade(grade, counted, cells[grade.name], decisions, student)
        session.flush()
        if result is not None:
            write_lateness(course, session, submission.id, result)


def _write_grade(
    grade: Any, counted: Result, decision: Decision, decisions: list[Decision], student: str
) -> None:
    cell = counted.cells[grade.name]
    grade.auto_score = cell.score
    if grade.manual_score is None:
        grade.needs_manual_grade = cell.score is None
    elif decision.kind == VOID:
        # A manual score stays as it is; extra credit makes up for the difference.
        void = any(
            one.kind == VOID and one.subject == grade.name and not one.taken_back
            for one in decisions
        )
        before = decision.before["extra_credit"].get(student)
        grade.extra_credit = (cell.score or 0.0) - grade.manual_score if void else before


def _write_max_scores(
    gradebook: Gradebook, assignment: str, changed: list[Decision], decisions: list[Decision]
) -> None:
    """A cell that was taken out has 0 points; else it has the points that it had before."""
    voids = {decision.subject: decision for decision in changed if decision.kind == VOID}
    out = {
        decision.subject
        for decision in decisions
        if decision.kind == VOID and decision.after["as"] == "out" and not decision.taken_back
    }
    for cell in scored_cells(gradebook.find_assignment(assignment)):
        if cell.name in voids:
            points = float(voids[cell.name].before["points"])
            cell.max_score = 0.0 if cell.name in out else points
