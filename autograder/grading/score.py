"""Combines the judge's results of tests into one submission's result."""

from __future__ import annotations

from nbformat import NotebookNode

from autograder.assignment import Assignment
from autograder.cells import IN_KERNEL, grade_id, is_graded, is_test, points
from autograder.errors import SubmissionError
from autograder.grading.execute import Executed
from autograder.grading.prepare import Prepared
from autograder.grading.result import CellResult, Result

MAX_REASON = 500
NOT_HANDED_IN = "the notebook was not handed in"


def score(
    assignment: Assignment, prepared: Prepared, executed: Executed, engine: dict[str, str]
) -> Result:
    """The result of a submission that was run; a notebook that is missing has no points."""
    cells = {
        name: score_cell(cell, executed)
        for notebook in executed.notebooks.values()
        for cell in notebook.cells
        if is_graded(cell) and (name := grade_id(cell))
    }
    missing = assignment.masters.keys() - executed.notebooks.keys()
    cells |= {
        name: CellResult(0.0, points(cell), NOT_HANDED_IN)
        for notebook in sorted(missing)
        for cell in assignment.masters[notebook].cells
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
        notes=(*prepared.notes, *_own_verdicts(executed)),
        seconds=executed.seconds,
        core_seconds=executed.core_seconds,
        engine=engine,
        in_kernel=tuple(name for name, cell in executed.cells.items() if cell.kind == IN_KERNEL),
        answers=prepared.answers,
    )


def _own_verdicts(executed: Executed) -> list[str]:
    """A note for each test in which a student's own operator decided."""
    return [
        f"{name}: decided by the student's own {', '.join(cell.decided)}"
        for name, cell in executed.cells.items()
        if cell.decided
    ]


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
