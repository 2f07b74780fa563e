"""Tasks of a reader process: turn a submission's files into plain data, without unused parts."""

from __future__ import annotations

import json
from typing import Any

import nbformat

from autograder.grading.restore import pictures
from course_utils.quiz import log

MAX_CELLS = 2000
MAX_ID = 200

# The only fields of a cell that are read, in any version of the format.
_KEPT = (
    "cell_type",
    "source",
    "input",
    "level",
    "language",
    "prompt_number",
    "collapsed",
    "execution_count",
)

Cell = dict[str, Any]


def notebook(content: bytes) -> list[Cell]:
    """The cells of a notebook of any version, without their unused parts.

    The unused parts are dropped before nbformat checks the notebook, because its check of a
    thousand unusual tags, or of a thousand outputs, takes minutes.

    Raises:
        Exception: the content is not a notebook; nbformat's converters may raise any exception.
    """
    if not content.strip():
        raise ValueError("it is empty")
    document = json.loads(content.decode("utf-8"))
    if not isinstance(document, dict):
        raise TypeError("it is not a JSON object")
    sheets = [document, *document.get("worksheets", [])]  # until version 3
    if sum(len(sheet.get("cells", [])) for sheet in sheets) > MAX_CELLS:
        raise ValueError(f"it has more than {MAX_CELLS} cells")
    for sheet in sheets:
        if "cells" in sheet:
            sheet["cells"] = [_bare(cell, index) for index, cell in enumerate(sheet["cells"])]
    document["metadata"] = _about(document.get("metadata", {}))
    converted = nbformat.reads(json.dumps(document), as_version=4)
    nbformat.validate(converted)
    cells = [{name: cell[name] for name in _WANTED if name in cell} for cell in converted.cells]
    # JSON can hold lone surrogates, but files and databases can't.
    text = json.dumps(cells, ensure_ascii=False).encode("utf-8", "replace")
    plain: list[Cell] = json.loads(text)
    return plain


_WANTED = ("cell_type", "source", "metadata", "attachments")


def _about(metadata: object) -> dict[str, Any]:
    """The notebook's metadata about its kernel and its language only."""
    if not isinstance(metadata, dict):
        raise TypeError("its metadata are not a JSON object")
    return {name: metadata[name] for name in ("kernelspec", "language_info") if name in metadata}


def _bare(cell: object, at: int) -> Cell:
    if not isinstance(cell, dict):
        raise TypeError("a cell is not a JSON object")
    bare = {name: cell[name] for name in _KEPT if name in cell}
    if "id" in cell:
        bare["id"] = f"cell-{at}"
    if "outputs" in cell:
        bare["outputs"] = []
    if "metadata" in cell:
        bare["metadata"] = _grade_id(cell["metadata"])
    if cell.get("cell_type") == "markdown" and (attached := pictures(cell.get("attachments"))):
        bare["attachments"] = attached
    return bare


def _grade_id(metadata: object) -> dict[str, Any]:
    if not isinstance(metadata, dict):
        raise TypeError("a cell's metadata are not a JSON object")
    nbgrader = metadata.get("nbgrader")
    name = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
    valid = isinstance(name, str) and len(name) <= MAX_ID
    return {"nbgrader": {"grade_id": name}} if valid else {}


def attempt_log(content: bytes, seal: str, student: str) -> list[str]:
    """The notes about an attempt log, damage first."""
    files = {log.LOG_NAME: content, log.SEAL_NAME: seal.encode("latin-1")}
    return log.inspect(log.parse(files), student)


def attempts(content: bytes, seal: str) -> dict[str, Any]:
    """The attempts of a log as plain data, and what is wrong with the log."""
    history = log.parse({log.LOG_NAME: content, log.SEAL_NAME: seal.encode("latin-1")})
    names = ("question", "version", "student", "answer", "time")
    return {
        "attempts": [
            {"event": "attempt"} | {name: entry.get(name) for name in names}
            for entry in history.entries
            if entry.get("event") == "attempt"
            and isinstance(entry.get("time"), str)
            and isinstance(entry.get("question"), str)
        ],
        "damage": history.damage,
    }
