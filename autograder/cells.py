"""What a cell is to nbgrader: its id, its role, its points, and the regions of its source.

Every other module asks here. Nothing heavy is imported, and a student's notebook, in which anything
may stand, gives an answer and no error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any


class Region(StrEnum):
    """What stands between the lines `### BEGIN …` and `### END …` of a cell's source."""

    HIDDEN_TESTS = "HIDDEN TESTS"
    SOLUTION = "SOLUTION"
    MARK_SCHEME = "MARK SCHEME"


def role(cell: Mapping[str, Any]) -> Mapping[str, Any]:
    """A cell's metadata for nbgrader; empty for a cell that nbgrader does not know."""
    told = cell["metadata"].get("nbgrader", {})
    return told if isinstance(told, Mapping) else {}


def grade_id(cell: Mapping[str, Any]) -> str | None:
    """The cell's nbgrader id, or None for a cell that nbgrader does not know."""
    name = role(cell).get("grade_id")
    return name if isinstance(name, str) else None


def is_graded(cell: Mapping[str, Any]) -> bool:
    """Whether a cell has points: a test, or an answer that a person marks."""
    return bool(role(cell).get("grade"))


def is_solution(cell: Mapping[str, Any]) -> bool:
    """Whether the student writes the cell."""
    return bool(role(cell).get("solution"))


def is_test(cell: Mapping[str, Any]) -> bool:
    """Whether nbgrader marks this cell by running it."""
    return cell["cell_type"] == "code" and is_graded(cell) and not is_solution(cell)


def points(cell: Mapping[str, Any]) -> float:
    """The points of an instructor's graded cell."""
    return float(role(cell)["points"])


def region_lines(source: str, region: Region) -> set[int]:
    """The numbers of the lines of all such regions, from 1, the two markers included."""
    return {number + 1 for first, last in _spans(source, region) for number in range(first, last)}


def region_texts(source: str, region: Region) -> list[str]:
    """The text of each such region, the two markers included."""
    lines = source.split("\n")
    return ["\n".join(lines[first:last]) for first, last in _spans(source, region)]


def without_regions(source: str, region: Region, instead: str = "") -> str:
    """The source with one line in the place of each such region."""
    lines = source.split("\n")
    for first, last in reversed(list(_spans(source, region))):
        lines[first:last] = [instead]
    return "\n".join(lines)


def _spans(source: str, region: Region) -> Iterator[tuple[int, int]]:
    """The first line of each region, from 0, and the line after its last; an open one is none."""
    first = None
    for number, line in enumerate(source.split("\n")):
        if first is None and f"BEGIN {region}" in line:
            first = number
        if first is not None and f"END {region}" in line and number > first:
            yield first, number + 1
            first = None
