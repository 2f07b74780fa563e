"""Puts what the judge says about each test together, into one submission's result."""

from __future__ import annotations

from nbformat import NotebookNode

from autograder.assignment import Assignment
from autograder.errors import SubmissionError
from autograder.grading.execute import Executed
from autograder.grading.prepare import Prepared
from autograder.grading.record import CellResult, Result

MAX_REASON = 500


def score(
    assignment: Assignment, prepared: Prepared, executed: Executed, engine: dict[str, str]
) -> Result:
    """The result of a submission that was run."""
    cells = {
        cell.metadata.nbgrader.grade_id: score_cell(cell, executed)
        for notebook in executed.notebooks.values()
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade")
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
    )


def unreadable(
    assignment: Assignment, student: str, error: SubmissionError, engine: dict[str, str]
) -> Result:
    """The result of a submission that could not be run: no score, and a person must look."""
    cells = {
        cell.metadata.nbgrader.grade_id: CellResult(None, float(cell.metadata.nbgrader.points))
        for master in assignment.masters.values()
        for cell in master.cells
        if cell.metadata.get("nbgrader", {}).get("grade")
    }
    return Result(assignment.name, student, "needs review", cells, str(error), engine=engine)


def score_cell(cell: NotebookNode, executed: Executed) -> CellResult:
    """The score of one grade cell, and what it complained of."""
    from nbgrader.utils import determine_grade

    name, points = cell.metadata.nbgrader.grade_id, float(cell.metadata.nbgrader.points)
    if name in executed.cells:
        judged = executed.cells[name]
        reason = judged.reason[:MAX_REASON] if judged.reason else None
        return CellResult(judged.score, points, reason, judged.ended, judged.seconds)
    if cell.cell_type == "code" and not cell.metadata.nbgrader.get("solution"):
        if not cell.source.strip():  # a test without a line, which nothing can fail
            return CellResult(points, points)
        return CellResult(0.0, points, "this cell was not run")
    found, _ = determine_grade(cell)  # by hand, unless it is still as released: then it is zero
    return CellResult(found, points, "no response" if found == 0 and points else None)
