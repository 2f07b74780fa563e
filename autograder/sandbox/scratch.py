"""A folder for a run's temporary files; the next run removes the folder of a killed run.

The folder is locked as long as its process lives. A process that can lock the folder therefore
knows that the owner is gone. The folder's age would not tell, because a run may take long.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

PREFIX = "autograder-"


class Scratch:
    """A new, empty, locked folder in the system's folder for temporary files.

    Attributes:
        path: the folder, until `close`.
    """

    def __init__(self) -> None:
        remove_left()
        self._lock = -1
        while self._lock < 0:
            self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
            lock = _lock(self.path)
            if lock is not None and self.path.exists():
                self._lock = lock
            elif lock is not None:  # another run removed it before it was locked
                os.close(lock)

    def close(self) -> None:
        """Remove the folder; a second call does nothing."""
        if self._lock >= 0:
            _remove(self.path)
            os.close(self._lock)
            self._lock = -1


def remove_left() -> None:
    """Remove this user's folders whose processes are gone."""
    with os.scandir(tempfile.gettempdir()) as entries:
        left = [
            Path(entry.path)
            for entry in entries
            if entry.name.startswith(PREFIX)
            and entry.is_dir(follow_symlinks=False)
            and entry.stat(follow_symlinks=False).st_uid == os.geteuid()
        ]
    for path in left:
        lock = _lock(path)
        if lock is not None:
            _remove(path)
            os.close(lock)


def _lock(path: Path) -> int | None:
    """A descriptor that holds the folder's lock; None if it is locked or was removed."""
    descriptor = -1
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        if descriptor >= 0:
            os.close(descriptor)
        return None
    return descriptor


def _remove(path: Path) -> None:
    """Remove a folder, even if student code filled it with deep or unreadable folders."""
    with suppress(OSError):
        path.rmdir()
        return
    command = ["rm", "--recursive", "--force", "--one-file-system", "--", str(path)]
    subprocess.run(command, check=False, stderr=subprocess.DEVNULL)
