"""nbgrader's view of a cell: its id, its role, its points, and the regions of its source.

All other modules use these functions. They import nothing heavy. A student's notebook may hold
anything, so the functions return a value for it instead of raising an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

IN_KERNEL = "in-kernel"  # the tag, and what the judge's results call such a test


class Region(StrEnum):
    """A part of a cell's source between the lines `### BEGIN …` and `### END …`."""

    HIDDEN_TESTS = "HIDDEN TESTS"
    SOLUTION = "SOLUTION"
    MARK_SCHEME = "MARK SCHEME"


Delimiters = Mapping[Region, tuple[str, str]]
"""The texts that mark a region's first and last line in a course's notebooks."""

USUAL_DELIMITERS: Delimiters = {region: (f"BEGIN {region}", f"END {region}") for region in Region}


def with_usual_delimiters(source: str, delimiters: Delimiters) -> str:
    """The source with nbgrader's usual markers in place of a course's own.

    Only the functions of this module know the markers, and they know the usual ones. Therefore a
    notebook of a course with other markers is translated once, when it is read.
    """
    if delimiters == USUAL_DELIMITERS:
        return source
    return "\n".join(_usual(line, delimiters) for line in source.split("\n"))


def _usual(line: str, delimiters: Delimiters) -> str:
    for region, (begin, end) in delimiters.items():
        if begin in line or end in line:
            indent = line[: len(line) - len(line.lstrip())]
            return f"{indent}### {'BEGIN' if begin in line else 'END'} {region}"
    return line


def scored_cells(assignment: Any) -> Iterator[Any]:
    """The cells of the gradebook's assignment that have points: tests, answers and tasks."""
    for notebook in assignment.notebooks:
        yield from (*notebook.grade_cells, *notebook.task_cells)


def role(cell: Mapping[str, Any]) -> Mapping[str, Any]:
    """A cell's nbgrader metadata; empty if nbgrader doesn't know the cell."""
    metadata = cell["metadata"].get("nbgrader", {})
    return metadata if isinstance(metadata, Mapping) else {}


def grade_id(cell: Mapping[str, Any]) -> str | None:
    """The cell's nbgrader id; None if nbgrader doesn't know the cell."""
    name = role(cell).get("grade_id")
    return name if isinstance(name, str) else None


def is_graded(cell: Mapping[str, Any]) -> bool:
    """Whether a cell has points: it is a test, or an answer that a person marks."""
    return bool(role(cell).get("grade"))


def is_solution(cell: Mapping[str, Any]) -> bool:
    """Whether the student writes the cell."""
    return bool(role(cell).get("solution"))


def is_test(cell: Mapping[str, Any]) -> bool:
    """Whether a cell is a test, which nbgrader marks by running it."""
    return cell["cell_type"] == "code" and is_graded(cell) and not is_solution(cell)


def is_in_kernel(test: Mapping[str, Any]) -> bool:
    """Whether the instructor wants a test to run in the student's process."""
    return IN_KERNEL in test["metadata"].get("tags", [])


def points(cell: Mapping[str, Any]) -> float:
    """The points of an instructor's graded cell."""
    return float(role(cell)["points"])


def region_lines(source: str, region: Region) -> set[int]:
    """The line numbers, from 1, of all regions of this kind, with their two markers."""
    return {number + 1 for first, last in _spans(source, region) for number in range(first, last)}


def region_texts(source: str, region: Region) -> list[str]:
    """The texts of all regions of this kind, with their two markers."""
    lines = source.split("\n")
    return ["\n".join(lines[first:last]) for first, last in _spans(source, region)]


def without_regions(source: str, region: Region, instead: str = "") -> str:
    """The source with the line `instead` in place of each region of this kind."""
    lines = source.split("\n")
    for first, last in reversed(list(_spans(source, region))):
        lines[first:last] = [instead]
    return "\n".join(lines)


def _spans(source: str, region: Region) -> Iterator[tuple[int, int]]:
    """The first line of each region, from 0, and the line after its end; skip an open region."""
    first = None
    for number, line in enumerate(source.split("\n")):
        if first is None and f"BEGIN {region}" in line:
            first = number
        if first is not None and f"END {region}" in line and number > first:
            yield first, number + 1
            first = None
