"""Runs one submission again to show the output of one of its tests; records nothing."""

from __future__ import annotations

from dataclasses import dataclass

from nbformat import NotebookNode

from autograder.assignment import Assignment
from autograder.attempts.decision_table import Decision, decisions_of
from autograder.cells import grade_id, is_graded
from autograder.course import Course
from autograder.errors import CourseError
from autograder.grading.decisions import rulings
from autograder.grading.execute import execute
from autograder.grading.first_attempts import FirstAttempts
from autograder.grading.prepare import prepare
from autograder.grading.result import CellResult
from autograder.grading.score import score_cell
from autograder.grading.settings import Settings, require_isolation
from autograder.grading.warm_up import warm_processes


@dataclass(frozen=True)
class Retried:
    """One cell of a submission that was run again.

    Attributes:
        cell: the cell with its hidden tests and its outputs.
        result: the cell's score and the reason for it; None if it is not a grade cell.
        reason: why the run ended early; None if it did not.
    """

    cell: NotebookNode
    result: CellResult | None
    reason: str | None


def retry(course: Course, name: str, student: str, cell: str, *, isolated: bool = True) -> Retried:
    """Run a submission with the current assignment, even if this version isn't released.

    All cells run, as in grading, because a test's result depends on the cells before it.

    Raises:
        CourseError: there is no such submission or cell.
        SubmissionError: the submission can't be read.
    """
    assignment = Assignment.load(course, name)
    cell_ids = [
        cell_id
        for master in assignment.masters.values()
        for node in master.cells
        if node.cell_type == "code" and (cell_id := grade_id(node))
    ]
    if cell not in cell_ids:
        raise CourseError(f"'{name}' has no cell '{cell}'", f"choose one of {', '.join(cell_ids)}")
    course.students(name, only=student)
    if isolated:
        require_isolation()
    first = FirstAttempts(course, name, rulings(_decisions(course, name)))
    prepared = first.settle(prepare(course, assignment, student))
    settings = Settings.of(course, isolated=isolated)
    with warm_processes(assignment.sources.values(), settings) as warm:
        executed = execute(prepared, warm, settings)
    [tried] = [
        node
        for notebook in executed.notebooks.values()
        for node in notebook.cells
        if grade_id(node) == cell
    ]
    graded = score_cell(tried, executed) if is_graded(tried) else None
    return Retried(tried, graded, executed.reason)


def _decisions(course: Course, name: str) -> list[Decision]:
    """The decisions about an assignment; [] if nothing was released yet."""
    file = course.database_file
    if file is not None and not file.is_file():
        return []
    with course.gradebook() as gradebook:
        return decisions_of(gradebook, name)
