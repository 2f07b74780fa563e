"""The files that a test sees: the instructor's first, then those that the student's code wrote."""

from __future__ import annotations

import builtins
import contextlib
import functools
import io
import os
import sqlite3
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.judge.replaced.modules import GivenModules, importer

if TYPE_CHECKING:
    from autograder.judge.judge_end import JudgePeer


_MAX_LISTED = 1000
_MAX_FETCHED = 4000
_TELLING = 16  # a file of fewer bytes may be a part of any code
_MAX_BYTES = 128 << 20  # the most that is fetched in one cell
# Libraries read these from the working folder on import, so a student's version is never used.
_CONFIGURES = frozenset(
    {"matplotlibrc", "conftest.py", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini",
     "setup.cfg"}
)  # fmt: skip


class Files:
    """The judge's working folder, which gets missing files from the candidate on demand.

    A missing file or folder is requested from the candidate and made in the folder; again after
    each further request, because the student's code may have written meanwhile. A file that was
    there at the beginning is the instructor's, and stays so. A file that a test writes is sent to
    the candidate before the next request.

    Args:
        peer: the judge's end of the conversation with the candidate.
        sealed: names of files that never come from the candidate, such as the log of quiz
            attempts.
    """

    def __init__(self, peer: JudgePeer, sealed: frozenset[str]) -> None:
        self._peer = peer
        self._folder = Path.cwd()
        self._sealed = sealed
        self._own = frozenset(
            path.relative_to(self._folder).as_posix()
            for path in self._folder.rglob("*")
            if path.is_file()
        )
        self._fetched: dict[str, int] = {}  # bytes by name
        self._folders: list[Path] = []
        self._asked: dict[str, int] = {}  # the round in which a name was requested
        self._round = 0
        self._written: set[str] = set()
        self._sending = False
        self._fetching = False
        self._texts: list[bytes] = []
        self._open = builtins.open
        self._unlink = os.unlink

    def install(self) -> None:
        """Replace open() and the functions that tell whether a file exists."""
        builtins.open = self.open
        io.open = self.open
        # os.path and pathlib call os.stat, by its name in os or in their own module.
        for name in ("stat", "lstat", "access", "open", "chdir"):
            setattr(os, name, self._after_fetching(getattr(os, name)))
        for name in ("exists", "isfile", "isdir", "getsize"):
            setattr(os.path, name, self._after_fetching(getattr(os.path, name)))
        # These open files by themselves.
        sqlite3.connect = self._after_fetching(sqlite3.connect)
        vars(tarfile)["bltn_open"] = self.open
        os.remove = os.unlink = self.remove
        for name in ("listdir", "scandir"):
            setattr(os, name, self._after_listing(getattr(os, name)))
        self._peer.before_request = self.send_written
        GivenModules(self._folder, self._own).install()

    def importer(self) -> Callable[..., Any]:
        """The `__import__` of tests, which finds the modules that the student's code wrote."""

        def is_theirs(name: str) -> bool:
            self._fetch(name)
            return name in self._fetched

        return importer(self._peer, is_theirs)

    def forget(self) -> None:
        """Delete the fetched files before a cell, because the candidate may have changed them."""
        for name in list(self._fetched):
            self._discard(name)
        for folder in reversed(self._folders):
            with contextlib.suppress(OSError):  # a test wrote into it
                folder.rmdir()
        self._folders.clear()
        self._asked.clear()
        self._texts.clear()

    def are_in(self, code: bytes) -> bool:
        """Return whether code is, or contains, a file that was fetched in this cell."""
        code = _lines(code)
        return any(text == code or (len(text) >= _TELLING and text in code) for text in self._texts)

    def open(self, file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        """Do as the builtin, and fetch a file from the candidate if the judge has none."""
        name = self._local(file)
        if name is not None:
            if set(mode) & set("wax+"):
                if "a" in mode or "+" in mode:
                    self._fetch(name)
                self._written.add(name)
                self._fetched.pop(name, None)
            else:
                self._fetch(name)
        return self._open(file, mode, *args, **kwargs)

    def remove(self, path: Any, *args: Any, **kwargs: Any) -> None:
        """Do as os.remove; a file that both sides have is removed on both."""
        name = self._local(path)
        if name is not None and not self._sending:
            self._fetch(name)
        self._unlink(path, *args, **kwargs)
        if name is not None and name not in self._own | self._sealed:
            self._written.discard(name)
            self._fetched.pop(name, None)
            self._peer.request("write_file", None, name, [None])

    def send_written(self) -> None:
        """Send the files that tests wrote to the candidate, before each request."""
        if not self._fetching and not self._sending:
            self._round += 1
        if not self._written or self._sending:
            return
        self._sending = True
        written, self._written = self._written, set()
        try:
            for name in sorted(written):
                path = self._folder / name
                if path.is_file():
                    with self._open(path, "rb") as file:
                        self._peer.request("write_file", None, name, [file.read()])
        finally:
            self._sending = False

    def _local(self, file: Any) -> str | None:
        """Return the name within the folder; None for anything that isn't a file in it."""
        if not isinstance(file, str | os.PathLike):
            return None
        path = Path(os.path.normpath(Path.cwd() / os.fsdecode(file)))
        if not path.is_relative_to(self._folder) or path == self._folder:
            return None
        return str(path.relative_to(self._folder))

    def _fetch(self, name: str) -> None:
        parts = Path(name).parts
        known = self._own, self._sealed, self._written
        if any(name in names for names in known) or self._asked.get(name) == self._round:
            return
        if parts[0] in _CONFIGURES or "__pycache__" in parts:
            return
        if self._fetching or self._peer.lost is not None:
            return
        if sum(self._fetched.values()) > _MAX_BYTES or len(self._fetched) >= _MAX_FETCHED:
            return
        self._fetching = True  # what follows looks for files by itself
        try:
            self._request(name)
        finally:
            self._fetching = False

    def _request(self, name: str) -> None:
        target = self._folder / name
        if target.is_dir():
            return
        data = self._peer.request("read_file", None, name)
        self._asked[name] = self._round
        self._discard(name)
        if isinstance(data, bytes):
            self._make(target.parent)
            with self._open(target, "wb") as file:
                file.write(data)
            self._fetched[name] = len(data)
            self._texts.append(_lines(data))
        elif type(self._peer.request("list_files", None, name)) is list:
            self._make(target)

    def _discard(self, name: str) -> None:
        """Remove a fetched file, which the student's code may have changed or removed."""
        if self._fetched.pop(name, None) is not None:
            with contextlib.suppress(OSError):
                self._unlink(self._folder / name)

    def _make(self, folder: Path) -> None:
        """Make a folder of the candidate's; a given file in its place stays."""
        missing = [part for part in (folder, *folder.parents) if not part.exists()]
        for part in reversed(missing):
            part.mkdir()
            self._folders.append(part)

    def _after_fetching(self, ask: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(ask)
        def asked(*args: Any, **kwargs: Any) -> Any:
            name = self._local(next(iter([*args, *kwargs.values()]), None))
            if name is not None and not self._sending:
                self._fetch(name)
            return ask(*args, **kwargs)

        return asked

    def _after_listing(self, ask: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(ask)
        def asked(path: Any = ".") -> Any:
            name = self._folder_name(path)
            if name is not None and not self._sending:
                self._list(name)
            return ask(path)

        return asked

    def _folder_name(self, path: Any) -> str | None:
        local = self._local(path)
        if local is None and isinstance(path, str | os.PathLike):
            is_top = os.path.normpath(Path.cwd() / os.fsdecode(path)) == str(self._folder)
            return "." if is_top else None
        return local

    def _list(self, folder: str) -> None:
        """Fetch the files in one of the candidate's folders, so that a listing shows them."""
        if self._fetching or self._peer.lost is not None:
            return
        self._fetching = True
        try:
            names = self._peer.request("list_files", None, folder)
        finally:
            self._fetching = False
        for name in [name for name in self._fetched if Path(name).parent.as_posix() == folder]:
            self._discard(name)  # it may be gone
            self._asked.pop(name, None)
        for name in names[:_MAX_LISTED] if type(names) is list else []:
            if type(name) is str and _is_file_name(name.removesuffix("/")):
                self._fetch(os.path.normpath(f"{folder}/{name}"))


def _lines(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n").strip()


def _is_file_name(name: str) -> bool:
    return (
        name.isprintable() and "/" not in name and name not in ("", ".", "..") and len(name) < 100
    )
