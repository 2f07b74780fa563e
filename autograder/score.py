"""Turns a run's outputs into scores, by nbgrader's own rule, each with its reason."""

from __future__ import annotations

from nbformat import NotebookNode

from autograder.assignment import Assignment
from autograder.errors import SubmissionError
from autograder.execute import REVIEW, Executed
from autograder.prepare import Prepared
from autograder.record import CellResult, Result

MAX_REASON = 500


def score(
    assignment: Assignment, prepared: Prepared, executed: Executed, engine: dict[str, str]
) -> Result:
    """The result of a submission that was run."""
    cells = {
        cell.metadata.nbgrader.grade_id: score_cell(cell)
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


def score_cell(cell: NotebookNode) -> CellResult:
    """The score of one executed grade cell, and what it complained of."""
    from nbgrader.utils import determine_grade

    points = float(cell.metadata.nbgrader.points)
    errors = [output for output in cell.get("outputs", []) if output.output_type == "error"]
    if any(error.ename == REVIEW for error in errors):
        return CellResult(None, points, errors[0].evalue[:MAX_REASON])
    try:
        found, _ = determine_grade(cell)
    except ValueError as error:  # partial credit above the maximum: the test is wrong
        return CellResult(None, points, f"the test is at fault: {error}")
    if found is None or found == points:
        return CellResult(found, points)
    return CellResult(float(found), points, _complaint(cell))


def _complaint(cell: NotebookNode) -> str:
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            return f"{output.ename}: {output.evalue}"[:MAX_REASON].strip(": ")
        if output.output_type == "stream" and output.name == "stderr":
            return f"wrote to stderr: {output.text.strip()}"[:MAX_REASON]
    return "partial credit" if cell.cell_type == "code" else "no response"
