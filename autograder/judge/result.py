"""What the judge says about one cell. It is read as data; outputs are drawn from it, never back."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Ended(StrEnum):
    """How a cell ended; only the judge says it, whatever a student's code raises or prints."""

    FINISHED = "finished"
    RAISED = "raised"
    TIMED_OUT = "timed out"
    DIED = "the student's process died"
    NEEDS_REVIEW = "a person must look"  # the test gave too many points, or said it can't decide
    REFUSED = "the judge refused what the test asked for"
    CUDA_FAILED = "CUDA failed"
    JUDGE_FAILED = "the judge failed"


@dataclass
class CellResult:
    """What one cell of the submission did.

    Attributes:
        index: The cell's position in the submission.
        grade_id: nbgrader's id, if it has one.
        kind: "student", "test", or "in-kernel" for a test that ran in the student's process.
        outputs: nbformat outputs, for people.
        execution_count: As the notebook shows it.
        seconds: Wall time.
        waited: What of it the cell was ready to run and had no processor.
        score: Points, for a test; None if an instructor has to look.
        max_score: Points of the cell, for a test.
        reason: Why it isn't full points; None if it is.
        ended: How it ended.
    """

    index: int
    grade_id: str | None
    kind: str
    outputs: list[dict[str, Any]] = field(default_factory=list)
    execution_count: int | None = None
    seconds: float = 0.0
    waited: float = 0.0
    score: float | None = None
    max_score: float | None = None
    reason: str | None = None
    ended: Ended = Ended.FINISHED

    @classmethod
    def from_json(cls, line: str) -> CellResult:
        """Read what `to_json` wrote."""
        fields = json.loads(line)
        return cls(**fields | {"ended": Ended(fields["ended"])})

    def to_json(self) -> str:
        """One line, as it leaves the judge's process."""
        return json.dumps(asdict(self))
