"""Swaps a folder together with a commit: after any failure or kill both are old, or both new.

The new folder is built beside the old folder, under the swap's token. Then the old folder is moved
aside and the new folder is moved into its place. The database's commit holds the token, and so
decides which folder stays. `settle` reads it and finishes or undoes the swap: at once after a
failure, and before the next run after a kill.
"""

from __future__ import annotations

import fcntl
import glob
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_NEW, _OLD = ".building-", ".old-"
_TOKEN_LENGTH = 32


def new_token() -> str:
    """A name for a swap that no other swap has."""
    return uuid.uuid4().hex


@contextmanager
def alone(final: Path) -> Iterator[None]:
    """Lock a folder's place, so that no other process swaps or settles it at the same time."""
    final.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(final.parent, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # a lock ends with its owner, so it can't be stale
        yield
    finally:
        os.close(descriptor)


def put_in_place(final: Path, files: dict[str, bytes] | None, token: str) -> None:
    """Replace a folder by a new folder of read-only files; keep the old folder until `settle`.

    Args:
        final: the folder's place.
        files: the content of the new folder's files, by path; None to leave no folder in place.
        token: the swap's name.
    """
    building, old = _places(final, token)
    building.mkdir()
    for name, data in (files or {}).items():
        path = building / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(0o444)
    building.chmod(0o755)
    old.mkdir()
    if final.exists():
        final.rename(old / "replaced")
    building.rename(final if files is not None else old / "nothing")


def settle(final: Path, committed: Callable[[], str | None]) -> None:
    """Finish or undo the swaps of a folder.

    Args:
        final: the folder's place.
        committed: returns the token of the folder's last commit; None if there is none.
    """
    for old, token in _left(final, _OLD):
        building = _places(final, token)[0]
        if token != committed():
            if not building.exists():  # the folder was swapped, but not committed
                nothing = old / "nothing"
                with suppress(FileNotFoundError):
                    (nothing if nothing.exists() else final).rename(building)
            with suppress(FileNotFoundError):
                (old / "replaced").rename(final)
        shutil.rmtree(old)
    for building, _ in _left(final, _NEW):
        shutil.rmtree(building)


def _left(final: Path, kind: str) -> list[tuple[Path, str]]:
    """What the swaps of a folder left, with their tokens; `ann-lee` has none of `ann`'s."""
    start = f"{kind}{final.name}-"
    names = [path.name for path in final.parent.iterdir() if path.name.startswith(start)]
    return [
        (final.with_name(name), name.removeprefix(start))
        for name in names
        if len(name) == len(start) + _TOKEN_LENGTH
    ]


def unsettled(pattern: str) -> Iterator[Path]:
    """The places with an unfinished swap among those that a glob pattern describes."""
    parent, name = os.path.split(pattern)
    places = {
        place.with_name(place.name.removeprefix(prefix)[: -_TOKEN_LENGTH - 1])
        for prefix in (_NEW, _OLD)
        for place in map(Path, glob.glob(f"{parent}/{prefix}{name}-*"))  # noqa: PTH207
    }
    yield from sorted(places)


def _places(final: Path, token: str) -> tuple[Path, Path]:
    name = f"{final.name}-{token}"
    return final.with_name(_NEW + name), final.with_name(_OLD + name)


def replace_folder(final: Path, files: dict[str, bytes]) -> None:
    """Put a folder in place that no row of the gradebook belongs to, whatever was there before."""
    token = new_token()
    with alone(final):
        settle(final, lambda: None)
        put_in_place(final, files, token)
        settle(final, lambda: token)
