"""Puts a submitted notebook back into the shape that its instructor released."""

from __future__ import annotations

import copy
import re

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell

from autograder.cells import Region, grade_id, is_solution, without_regions

_NEW = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}
_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+")


def restore(submitted: NotebookNode, master: NotebookNode) -> tuple[NotebookNode, list[str]]:
    """Rebuild a submission around the instructor's cells.

    The instructor's cells stand in the instructor's order, with the instructor's metadata, and,
    unless the student was to write in them, the instructor's source. A cell of the student's own
    stays behind the cell that it followed. Of two cells with one id the later counts, as in
    nbgrader, and the other is a cell of the student's own. Nothing that the student's metadata,
    tags or outputs say is kept, but for pictures in text.

    Args:
        submitted: the notebook as handed in.
        master: the notebook as released, hidden tests included.

    Returns:
        The notebook to run, and a note on each thing that had to be mended.
    """
    known = {name: cell for cell in master.cells if (name := grade_id(cell))}
    last = {name: at for at, cell in enumerate(submitted.cells) if (name := grade_id(cell))}
    notes: list[str] = []
    first: list[NotebookNode] = []  # the student's own cells before any of the instructor's
    own: dict[str, list[NotebookNode]] = {}
    handed_in: dict[str, NotebookNode] = {}
    following = first
    for at, cell in enumerate(submitted.cells):
        name = grade_id(cell)
        if name in known and last[name] == at:
            handed_in[name] = cell
            following = own[name] = []
            continue
        if name in known:
            notes.append(f"cell '{name}' is there more than once: the last one counts")
        following.append(_NEW[cell.cell_type](source=cell.source))
        if cell.cell_type == "markdown":
            _keep_pictures(cell, following[-1])
    if list(handed_in) != [name for name in known if name in handed_in]:
        notes.append("cells were moved: they run in the order of the assignment")

    cells = first
    for name, cell in known.items():
        cells.append(_restored(cell, handed_in.get(name), notes))
        cells.extend(own.get(name, []))
    restored = copy.deepcopy(master)
    restored.cells = _with_unique_ids(cells)
    return restored, notes


def _restored(cell: NotebookNode, handed_in: NotebookNode | None, notes: list[str]) -> NotebookNode:
    """The instructor's cell, with the student's source if it is the student's to write."""
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
    """What a student sees of the instructor's cell, white space at the ends aside."""
    return without_regions(source, Region.HIDDEN_TESTS).strip()


def _keep_pictures(handed_in: NotebookNode, cell: NotebookNode) -> None:
    """Pictures that were pasted into an answer are part of it; nothing else that is attached is."""
    if found := pictures(handed_in.get("attachments")):
        cell.attachments = found


def pictures(attachments: object) -> dict[str, dict[str, str]]:
    """The pictures among a text cell's attachments, whatever else a student wrote there."""
    if not isinstance(attachments, dict):
        return {}
    found = {
        name: {kind: data for kind, data in bundle.items() if _is_picture(kind, data)}
        for name, bundle in attachments.items()
        if isinstance(name, str) and isinstance(bundle, dict)
    }
    return {name: bundle for name, bundle in found.items() if bundle}


def _is_picture(kind: str, data: object) -> bool:
    return kind in _PICTURES and isinstance(data, str) and bool(_BASE64.fullmatch(data))


def _with_unique_ids(cells: list[NotebookNode]) -> list[NotebookNode]:
    for at, cell in enumerate(cells):
        cell["id"] = grade_id(cell) or f"own-{at}"
    return cells
