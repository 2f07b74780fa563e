"""Rebuilds a submitted notebook from the instructor's cells and the student's answers."""

from __future__ import annotations

import copy
import re

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell

from autograder.cells import Region, grade_id, is_solution, without_regions

_NEW = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}
# As a picture, an SVG runs no script.
_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml"})
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+")


def restore(submitted: NotebookNode, master: NotebookNode) -> tuple[NotebookNode, list[str]]:
    """Rebuild a submission around the instructor's cells.

    The instructor's cells come in the instructor's order, with the instructor's metadata. They have
    the instructor's source, except for cells that the student writes. A student's own cell stays
    after the cell that it followed. If two cells have the same id, the later cell counts, as in
    nbgrader; the earlier cell becomes a student's own cell. The student's metadata, tags and
    outputs are dropped, except for pictures in text cells.

    Args:
        submitted: the notebook as handed in.
        master: the notebook as released, with hidden tests.

    Returns:
        The notebook to run, and a note about each repair.
    """
    given = {name: cell for cell in master.cells if (name := grade_id(cell))}
    last = {name: index for index, cell in enumerate(submitted.cells) if (name := grade_id(cell))}
    notes: list[str] = []
    first: list[NotebookNode] = []  # the student's own cells before any of the instructor's
    own: dict[str, list[NotebookNode]] = {}
    handed_in: dict[str, NotebookNode] = {}
    following = first
    for index, cell in enumerate(submitted.cells):
        name = grade_id(cell)
        if name in given and last[name] == index:
            handed_in[name] = cell
            following = own[name] = []
            continue
        if name in given:
            notes.append(f"cell '{name}' is there more than once: the last one counts")
        following.append(_NEW[cell.cell_type](source=cell.source))
        if cell.cell_type == "markdown":
            _keep_pictures(cell, following[-1])
    if list(handed_in) != [name for name in given if name in handed_in]:
        notes.append("cells were moved: they run in the order of the assignment")

    cells = first
    for name, cell in given.items():
        cells.append(_restored(cell, handed_in.get(name), notes))
        cells.extend(own.get(name, []))
    restored = copy.deepcopy(master)
    restored.cells = _with_unique_ids(cells)
    return restored, notes


def _restored(cell: NotebookNode, handed_in: NotebookNode | None, notes: list[str]) -> NotebookNode:
    """The instructor's cell, with the student's source if the student writes the cell."""
    name = cell.metadata.nbgrader.grade_id
    restored = copy.deepcopy(cell)
    if handed_in is None:
        notes.append(f"cell '{name}' was missing: put back")
    elif is_solution(cell):
        restored.source = handed_in.source
    elif handed_in.source.strip() not in (cell.source.strip(), _visible(cell.source)):
        notes.append(f"cell '{name}' was changed: put back")
    if handed_in is not None and cell.cell_type == "markdown" == handed_in.cell_type:
        _keep_pictures(handed_in, restored)
    return restored


def _visible(source: str) -> str:
    """The part of an instructor's cell that students see, without white space at its ends."""
    return without_regions(source, Region.HIDDEN_TESTS).strip()


def _keep_pictures(handed_in: NotebookNode, cell: NotebookNode) -> None:
    """Keep the pictures that were pasted into an answer; drop all other attachments."""
    if attached := pictures(handed_in.get("attachments")):
        cell.attachments = attached


def pictures(attachments: object) -> dict[str, dict[str, str]]:
    """The pictures among a text cell's attachments; a student may have written anything there."""
    if not isinstance(attachments, dict):
        return {}
    bundles = {
        name: {kind: data for kind, data in bundle.items() if _is_picture(kind, data)}
        for name, bundle in attachments.items()
        if isinstance(name, str) and isinstance(bundle, dict)
    }
    return {name: bundle for name, bundle in bundles.items() if bundle}


def _is_picture(kind: str, data: object) -> bool:
    return kind in _PICTURES and isinstance(data, str) and bool(_BASE64.fullmatch(data))


def _with_unique_ids(cells: list[NotebookNode]) -> list[NotebookNode]:
    for index, cell in enumerate(cells):
        cell["id"] = grade_id(cell) or f"own-{index}"
    return cells
