"""Points for a test cell, by nbgrader's rules; docs/judge.md lists the chosen differences."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Score:
    """Points, or None where an instructor has to look, and why they aren't full."""

    points: float | None
    reason: str | None = None


def from_value(value: Any, maximum: float) -> Score:
    """The score of a test that ran to its end.

    Args:
        value: The value that its last line shows, or None.
        maximum: The cell's points.
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number):
        return Score(maximum)
    points = float(value) if not isinstance(value, complex | np.complexfloating) else math.nan
    if math.isnan(points):
        return Score(0.0, "the test's last value is not a number")
    if points > maximum:
        return Score(None, f"the test gave {points:g} points, more than its {maximum:g}")
    if points < 0:
        return Score(maximum)
    return Score(points, None if points == maximum else f"partial credit: {points:g}")


def from_outputs(outputs: list[dict[str, Any]], maximum: float) -> Score:
    """The score of a test that ran in the student's process, from what the notebook shows."""
    for output in outputs:
        if output["output_type"] == "error":
            return Score(0.0, f"{output['ename']}: {output['evalue']}"[:500])
        if output["output_type"] == "execute_result":
            try:
                value = float(output["data"].get("text/plain", ""))
            except (TypeError, ValueError):
                return Score(maximum)
            return from_value(value, maximum)
    return Score(maximum)
