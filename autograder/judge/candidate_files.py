"""The candidate's files and modules, which a test reads by the judge's requests."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

_MAX_FILE = 64 << 20


class CandidateFiles:
    """The requests of the judge that concern files; relative paths are in the working folder."""

    def _do_read_file(self, _: Any, name: str) -> bytes | None:
        path = Path(name)
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return file.read(_MAX_FILE)

    def _do_list_files(self, _: Any, folder: str) -> list[str] | None:
        """The names in a folder, with a slash after a folder's; None if it is no folder."""
        path = Path(folder)
        if not path.is_dir():
            return None
        entries = [part for part in path.iterdir() if part.is_file() or part.is_dir()]
        return sorted(f"{part.name}/" if part.is_dir() else part.name for part in entries)

    def _do_module(self, _: Any, name: str, attribute: str | None) -> Any:
        """A name of a module that the student wrote; its public names if `attribute` is None."""
        importlib.invalidate_caches()  # the student's code has just written it
        module = importlib.import_module(name)
        if attribute is not None:
            return getattr(module, attribute)
        stated = getattr(module, "__all__", None)
        return [str(n) for n in stated or vars(module) if stated or not str(n).startswith("_")]

    def _do_write_file(self, _: Any, name: str, data: bytes | None) -> None:
        Path(name).unlink(missing_ok=True) if data is None else Path(name).write_bytes(data)
