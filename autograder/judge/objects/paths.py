"""A path that a student's code made: its text is a value, its files are the student's."""

from __future__ import annotations

import pathlib
from typing import Any, ClassVar


class StudentsPath(pathlib.PurePosixPath):
    """Compares, joins and splits as a path does; what asks for a file runs in the candidate.

    So no path that a student's code returns reads a file of the instructor's.
    """

    _peer_: ClassVar[Any]

    def __getattr__(self, name: str) -> Any:
        method = getattr(pathlib.PosixPath, name)
        if name.startswith("_") or not callable(method):
            raise AttributeError(name)
        return lambda *args, **kwargs: self._peer_.request(
            "apply", None, None, [method, [pathlib.PosixPath(self), *args], kwargs]
        )

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return pathlib.PosixPath


def students_path(peer: Any, text: Any) -> StudentsPath:
    """Return a path of the student's.

    Raises:
        ValueError: the text is none.
    """
    if type(text) is not str or len(text) > 1 << 16:
        raise ValueError("a path is a text")
    if peer.paths is None:
        peer.paths = type("StudentsPath", (StudentsPath,), {"_peer_": peer})
    path: StudentsPath = peer.paths(text)
    return path
