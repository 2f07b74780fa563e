"""What a new release changes for a class that has the old release already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from autograder.cells import scored_cells
from autograder.course import Course

MOST_NAMED = 20


@dataclass(frozen=True)
class ReleasedCell:
    """A cell as the gradebook has it since a release.

    Attributes:
        kind: "code" or "markdown".
        source: its text, hidden tests included.
        points: its points; None if it is not graded.
    """

    kind: str
    source: str
    points: float | None


Cells = Mapping[str, ReleasedCell]


def released_cells(course: Course, name: str) -> dict[str, ReleasedCell]:
    """The cells of an assignment's last release, by id; {} if it was never released."""
    from nbgrader.api import MissingEntry

    if course.database_file is not None and not course.database_file.is_file():
        return {}
    with course.gradebook() as gradebook:
        try:
            assignment = gradebook.find_assignment(name)
        except MissingEntry:
            return {}
        points = {cell.name: cell.max_score for cell in scored_cells(assignment)}
        return {
            cell.name: ReleasedCell(cell.cell_type, cell.source or "", points.get(cell.name))
            for notebook in assignment.notebooks
            for cell in notebook.source_cells
        }


def what_changed(before: Cells, after: Cells) -> list[str]:
    """The cells that differ between two releases, with what differs."""
    lines = [f"'{name}' is new" for name in after if name not in before]
    lines += [f"'{name}' is gone" for name in before if name not in after]
    for name in before.keys() & after.keys():
        if differences := list(_differences(before[name], after[name])):
            lines.append(f"'{name}': {', '.join(differences)}")
    return sorted(lines)


def _differences(before: ReleasedCell, after: ReleasedCell) -> Iterator[str]:
    if before.kind != after.kind:
        yield f"{after.kind}, was {before.kind}"
    if before.source != after.source:
        yield "another text"
    if before.points != after.points:
        yield f"{_points(after.points)}, was {_points(before.points)}"


def _points(points: float | None) -> str:
    return "not graded" if points is None else f"{points:g} points"


def told(course: Course, name: str, before: Cells, after: Cells) -> list[str]:
    """What a new release changes and for whom, in lines; [] if there was no release before."""
    changed = what_changed(before, after)
    if not before or not changed:
        return []
    lines = [f"{name}: changed since the last release:", *(f"  {line}" for line in changed)]
    students = [student for _, student, _ in course.folders("submitted", name, "*")]
    if students:
        more = len(students) - MOST_NAMED
        names = ", ".join(students[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
        lines += [
            f"{len(students)} handed in before: {names}",
            f"'autograder grade {name}' grades them again with the new cells; what they wrote"
            " stays: a cell that they lack is put in, a cell that is gone stays as their own",
        ]
    lines.append(
        "students who have begun need not begin again: their notebooks are graded with the new"
        " cells; docs/students.md says how they get the new tests"
    )
    return lines
