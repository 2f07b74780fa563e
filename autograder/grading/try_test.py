"""Runs one submission again to show what one of its tests says; nothing is recorded."""

from __future__ import annotations

from dataclasses import dataclass

from nbformat import NotebookNode

from autograder.assignment import Assignment
from autograder.cells import grade_id, is_graded
from autograder.course import Course
from autograder.errors import CourseError
from autograder.grading.execute import execute
from autograder.grading.prepare import prepare
from autograder.grading.result import CellResult
from autograder.grading.score import score_cell
from autograder.grading.settings import Settings, require_isolation
from autograder.grading.warm_up import warm_processes


@dataclass(frozen=True)
class Retried:
    """One cell of a submission that was run.

    Attributes:
        cell: the cell, hidden tests included, with its outputs.
        result: its score and the reason; None if it is not a grade cell.
        reason: why the run ended early, if it did.
    """

    cell: NotebookNode
    result: CellResult | None
    reason: str | None


def retry(course: Course, name: str, student: str, cell: str, *, isolated: bool = True) -> Retried:
    """Run a submission with the assignment as it stands now, released or not.

    All its cells run, as in grading: what one test sees depends on the cells before it.

    Raises:
        CourseError: there is no such submission or cell.
        SubmissionError: the submission can't be read.
    """
    assignment = Assignment.load(course, name)
    known = [
        one
        for master in assignment.masters.values()
        for each in master.cells
        if each.cell_type == "code" and (one := grade_id(each))
    ]
    if cell not in known:
        raise CourseError(f"'{name}' has no cell '{cell}'", f"choose one of {', '.join(known)}")
    course.students(name, only=student)
    if isolated:
        require_isolation()
    prepared = prepare(course, assignment, student)
    settings = Settings(isolated=isolated, config=course.config)
    with warm_processes(assignment.sources.values(), settings) as warm:
        executed = execute(prepared, warm, settings)
    [found] = [
        each
        for notebook in executed.notebooks.values()
        for each in notebook.cells
        if grade_id(each) == cell
    ]
    graded = score_cell(found, executed) if is_graded(found) else None
    return Retried(found, graded, executed.reason)
