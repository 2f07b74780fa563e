"""A cell's outputs in nbformat: a test's prints, and a candidate's outputs after cleaning."""

from __future__ import annotations

import contextlib
import io
import json
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

_INTERNAL = str(Path(__file__).parent)
_MAX_TRACEBACK = 20_000
_LEAST = 1000  # characters that an output counts for: many small outputs take long to check, too
_WIDGET = "application/vnd.jupyter.widget-view+json"


class Room:
    """How many characters may still be shown: by the cell, and by all cells together.

    Args:
        cell: the number of characters for each cell.
        notebook: the number of characters for all cells.

    Attributes:
        left: the number of characters that the cell may still show.
    """

    def __init__(self, cell: int, notebook: int) -> None:
        self._cell = cell
        self._notebook = notebook
        self.left = 0

    def next_cell(self) -> None:
        """Start a new cell."""
        self.left = min(self._cell, self._notebook)

    def take(self, size: int) -> int:
        """Return how many of `size` characters may be shown; they count as shown from now on."""
        taken = min(size, self.left)
        self.left -= taken
        self._notebook -= taken
        return taken


class Prints(io.TextIOBase):
    """Collects what a test shows, as nbformat outputs in order.

    Both streams count as stdout, because nbgrader takes points off for anything on stderr, and a
    warning costs nothing here.
    """

    def __init__(self, room: Room) -> None:
        self.outputs: list[dict[str, Any]] = []
        self._room = room

    @contextlib.contextmanager
    def redirected(self) -> Iterator[None]:
        """Collect what is printed meanwhile."""
        with contextlib.redirect_stdout(self), contextlib.redirect_stderr(self):
            yield

    def write(self, text: str) -> int:
        """Write as a text stream does; drop text for which there is no room."""
        part = text[: self._room.take(len(text))]
        if part and self.outputs:
            self.outputs[-1]["text"] += part
        elif part:
            self.outputs.append({"output_type": "stream", "name": "stdout", "text": part})
        return len(text)

    def writable(self) -> bool:
        """Return True."""
        return True

    def add_result(self, value: Any, count: int) -> None:
        """Add the last value; a numpy number as a plain number, which nbgrader can read."""
        shown = value.item() if isinstance(value, np.number) else value
        self.outputs.append(
            {
                "output_type": "execute_result",
                "execution_count": count,
                "metadata": {},
                "data": {"text/plain": repr(shown)[:10_000]},
            }
        )


def clean_outputs(outputs: list[Any], count: int, room: Room) -> list[dict[str, Any]]:
    """Return a candidate's outputs without anything that nbformat doesn't allow.

    Args:
        outputs: the claimed nbformat outputs; anything else is left out.
        count: the cell's execution count.
        room: how much the cell may show. If something is left out, a notice says so.
    """
    allowed, is_cut = [], False
    for output in outputs:
        clean = _clean_output(output, count)
        if clean is None:
            continue
        size = max(len(json.dumps(clean)), _LEAST)
        if size > room.left:
            is_cut = True
            continue
        room.take(size)
        allowed.append(clean)
    if is_cut:
        text = "[Output left out: this cell, or the whole notebook, shows too much]\n"
        allowed.append({"output_type": "stream", "name": "stderr", "text": text})
    return allowed


def _clean_output(output: Any, count: int) -> dict[str, Any] | None:
    match output:
        case {"output_type": "stream", "name": "stdout" | "stderr" as name, "text": str(text)}:
            return {"output_type": "stream", "name": name, "text": text}
        case {"output_type": "error", "ename": str(name), "evalue": str(value), "traceback": lines}:
            return error_output(name, value, [str(line) for line in lines])
        case {
            "output_type": "display_data" | "execute_result" as kind,
            "data": dict(data),
            "metadata": dict(metadata),
        } if all(_is_mime(key, value) for key, value in data.items()):
            clean = {"output_type": kind, "data": data, "metadata": metadata}
            return clean | ({"execution_count": count} if kind == "execute_result" else {})
    return None


def _is_mime(key: Any, value: Any) -> bool:
    if key == _WIDGET:  # nbconvert fails on a view without a model
        return isinstance(value, dict) and isinstance(value.get("model_id"), str)
    is_text = isinstance(value, str) or (
        isinstance(value, list) and all(isinstance(line, str) for line in value)
    )
    return isinstance(key, str) and "/" in key and (is_text or key.endswith("json"))


def said(outputs: list[dict[str, Any]]) -> str:
    """Return the exception that a cell's outputs report."""
    [error, *_] = [output for output in outputs if output["output_type"] == "error"]
    return f"{error['ename']}: {error['evalue']}"[:300]


def error_output(name: str, value: str, lines: list[str]) -> dict[str, Any]:
    """Return an exception as an nbformat output."""
    return {"output_type": "error", "ename": name, "evalue": value[:4000], "traceback": lines}


def traceback_lines(error: BaseException) -> list[str]:
    """Return the traceback through the test's own lines, as a notebook shows it."""
    report = traceback.TracebackException.from_exception(error)
    seen: set[int] = set()
    part: Any = report
    while part is not None and id(part) not in seen:
        seen.add(id(part))
        part.stack = traceback.StackSummary.from_list(
            [frame for frame in part.stack if not frame.filename.startswith(_INTERNAL)]
        )
        part = part.__cause__ or part.__context__
    text = "".join(report.format()).rstrip("\n")
    if len(text) > _MAX_TRACEBACK:  # an error's text may hold a student's whole result
        text = text[:_MAX_TRACEBACK] + " [the rest is left out]"
    return text.split("\n")
