"""Swaps a folder together with a commit: after any failure, a kill included, both are old or new.

The new folder is built beside the old one under a token; the old one is moved aside, the new one
into its place, and the database's commit, which holds the token, decides which of them stays:
`settle` looks there, at once after a failure and before the next run after a kill.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_NEW, _OLD = ".building-", ".old-"


def new_token() -> str:
    """A name that no other swap has."""
    return uuid.uuid4().hex


@contextmanager
def alone(final: Path) -> Iterator[None]:
    """Hold a folder's place, so that no other process swaps it or settles it meanwhile."""
    final.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(final.parent, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)  # whoever holds it is alive: a lock dies with its owner
        yield
    finally:
        os.close(handle)


def put_in_place(final: Path, files: dict[str, bytes] | None, token: str) -> None:
    """Put a new folder of read-only files where the old one is, which stays until `settle`.

    Args:
        final: the folder's place.
        files: what is in it, by path; None if no folder is to be there.
        token: names the swap.
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


def settle(final: Path, committed: str | None) -> None:
    """Finish or undo what a swap left.

    Args:
        final: the folder's place.
        committed: the token of the last commit for it; None if there is none.
    """
    for old in final.parent.glob(f"{_OLD}{final.name}-*"):
        token = old.name.removeprefix(f"{_OLD}{final.name}-")
        building = _places(final, token)[0]
        if token != committed:
            if not building.exists():  # the swap was done, the commit was not
                nothing = old / "nothing"
                with suppress(FileNotFoundError):
                    (nothing if nothing.exists() else final).rename(building)
            with suppress(FileNotFoundError):
                (old / "replaced").rename(final)
        shutil.rmtree(old)
    for building in final.parent.glob(f"{_NEW}{final.name}-*"):
        shutil.rmtree(building)


def unsettled(parent: Path, name: str) -> Iterator[Path]:
    """The places of an assignment's folders, one a student, where a swap was left unfinished."""
    found = {
        path.parent / name for prefix in (_NEW, _OLD) for path in parent.glob(f"*/{prefix}{name}-*")
    }
    yield from sorted(found)


def _places(final: Path, token: str) -> tuple[Path, Path]:
    name = f"{final.name}-{token}"
    return final.with_name(_NEW + name), final.with_name(_OLD + name)
