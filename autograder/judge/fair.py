"""Time as the limits count it: without what a cell waited for a processor that others had."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress

# A cell may take this many times its limit on the wall clock, however long it waited.
STRETCH = 8


class FairTime:
    """A clock that stands still, or nearly, while a cell is ready to run and can't.

    A process that sleeps, or waits for a lock or for input, isn't ready to run: its time counts.

    Args:
        schedstats: Descriptors of the files `/proc/PID/schedstat` of the processes that take turns
            at a cell. Without any this is `time.monotonic`.
    """

    def __init__(self, schedstats: Sequence[int] = ()) -> None:
        self._seen = dict.fromkeys(schedstats, 0.0)
        self.restart()

    def restart(self, latest: float = float("inf")) -> None:
        """A cell begins.

        Args:
            latest: When (`time.monotonic`) nothing is given back any more.
        """
        self._start, self._latest = time.monotonic(), latest
        self._waited = self._read()

    def now(self) -> float:
        """`time.monotonic`, less what the cell has waited."""
        wall = time.monotonic()
        if wall >= self._latest:
            return wall
        return wall - min(self.waited(), (wall - self._start) * (1 - 1 / STRETCH))

    def waited(self) -> float:
        """Seconds since `restart` in which one of the processes was ready to run, and didn't."""
        return self._read() - self._waited

    def _read(self) -> float:
        for file in self._seen:
            with suppress(OSError):  # the process has ended
                # Nanoseconds on a processor, nanoseconds ready to run without one, time slices.
                self._seen[file] = int(os.pread(file, 100, 0).split()[1]) / 1e9
        return sum(self._seen.values())
