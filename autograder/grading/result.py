"""The result of one submission: what every command shows, and the gradebook keeps."""

from __future__ import annotations

from dataclasses import dataclass, field

from autograder.judge.result import Ended


@dataclass(frozen=True)
class CellResult:
    """One grade cell, as the judge left it.

    Attributes:
        score: points; None where a person must decide.
        max_score: points that could be had.
        reason: why it isn't full points, if it is not.
        ended: how the test ended, one of `autograder.judge.result.Ended`; None for what no machine
            runs, and for results that an earlier version recorded.
        seconds: wall time.
    """

    score: float | None
    max_score: float
    reason: str | None = None
    ended: Ended | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Result:
    """One graded submission.

    Attributes:
        status: "graded", or "needs review" where a person must look.
        cells: every grade cell by its id.
        reason: why it needs review, or ended early.
        notes: what was mended in the submission before it ran.
        seconds_late: past the due date and the student's extension, if any.
        seconds: wall time of the run.
    """

    assignment: str
    student: str
    status: str
    cells: dict[str, CellResult]
    reason: str | None = None
    notes: tuple[str, ...] = ()
    seconds_late: float = 0.0
    seconds: float = 0.0
    engine: dict[str, str] = field(default_factory=dict)

    @property
    def score(self) -> float:
        """Points given by the machine; a cell that waits for a person counts nothing."""
        return sum(cell.score or 0.0 for cell in self.cells.values())

    @property
    def max_score(self) -> float:
        """Points that could be had."""
        return sum(cell.max_score for cell in self.cells.values())
