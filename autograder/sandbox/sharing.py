"""Shared memory of a candidate's processes, taken from its private file system of bounded size.

The kernel also has shared memory without a file. Nothing counts its pages once no page table maps
them, so the system call filter refuses such memory. `mmap.mmap(-1, n)` asks for it by default; in a
candidate, `mmap.mmap` takes the memory from a file without a name.
"""

from __future__ import annotations

import mmap
import os
from typing import Any

PLACE = "/dev/shm"
_Mapping = mmap.mmap


class _FileBacked(_Mapping):
    def __new__(cls, fileno: int, length: int, *args: Any, **options: Any) -> _FileBacked:
        flags = args[0] if args else options.get("flags", mmap.MAP_SHARED)
        if fileno != -1 or not flags & mmap.MAP_SHARED or length <= 0:
            return super().__new__(cls, fileno, length, *args, **options)
        if args:
            args = (flags & ~mmap.MAP_ANONYMOUS, *args[1:])
        elif "flags" in options:
            options["flags"] = flags & ~mmap.MAP_ANONYMOUS
        file = os.open(PLACE, os.O_TMPFILE | os.O_RDWR, 0o600)
        try:
            os.posix_fallocate(file, 0, length)  # an OSError here, no bus error at first use
            return super().__new__(cls, file, length, *args, **options)
        finally:
            os.close(file)  # the mapping has a descriptor of its own


def back_by_files() -> None:
    """Let `mmap.mmap(-1, n)` in this process take its memory from `PLACE`."""
    _FileBacked.__name__ = _FileBacked.__qualname__ = "mmap"
    _FileBacked.__module__ = "mmap"
    mmap.mmap = _FileBacked  # type: ignore[misc]
