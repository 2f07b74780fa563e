"""Combines the judge's results of tests into one submission's result."""

from __future__ import annotations

from nbformat import NotebookNode

from autograder.assignment import Assignment
from autograder.cells import grade_id, is_graded, is_test, points
from autograder.errors import SubmissionError
from autograder.grading.execute import Executed
from autograder.grading.prepare import Prepared
from autograder.grading.result import CellResult, Result

MAX_REASON = 500


def score(
    assignment: Assignment, prepared: Prepared, executed: Executed, engine: dict[str, str]
) -> Result:
    """The result of a submission that was run."""
    cells = {
        name: score_cell(cell, executed)
        for notebook in executed.notebooks.values()
        for cell in notebook.cells
        if is_graded(cell) and (name := grade_id(cell))
    }
    review = [
        f"{name}: {cell.reason}"
        for name, cell in cells.items()
        if cell.score is None and cell.reason
    ]
    reasons = ([executed.reason] if executed.reason else []) + review
    return Result(
        assignment=assignment.name,
        student=prepared.student,
        status="needs review" if review else "graded",
        cells=cells,
        reason="; ".join(reasons) or None,
        notes=prepared.notes,
        seconds=executed.seconds,
        engine=engine,
        answers=prepared.answers,
    )


def unreadable(
    assignment: Assignment, student: str, error: SubmissionError, engine: dict[str, str]
) -> Result:
    """The result of a submission that could not be run: no scores, so that a person must look."""
    cells = {
        name: CellResult(None, points(cell))
        for master in assignment.masters.values()
        for cell in master.cells
        if is_graded(cell) and (name := grade_id(cell))
    }
    return Result(assignment.name, student, "needs review", cells, str(error), engine=engine)


def score_cell(cell: NotebookNode, executed: Executed) -> CellResult:
    """The score of one grade cell, and why it isn't full."""
    from nbgrader.utils import determine_grade

    full = points(cell)
    if judged := executed.cells.get(grade_id(cell) or ""):
        reason = judged.reason[:MAX_REASON] if judged.reason else None
        return CellResult(judged.score, full, reason, judged.ended, judged.seconds)
    if is_test(cell):
        if not cell.source.strip():  # a test without code, which can't fail
            return CellResult(full, full)
        return CellResult(0.0, full, "this cell was not run")
    given, _ = determine_grade(cell)  # None, or 0 if unchanged since the release
    return CellResult(given, full, "no response" if given == 0 and full else None)
