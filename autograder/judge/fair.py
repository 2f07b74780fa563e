"""The clock of the limits, which leaves out the time that a cell waited for a processor."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic  # by its name here, because a test may patch the module's

# The most wall-clock time of a cell, in multiples of its limit, however long it waited.
STRETCH = 8


class FairTime:
    """A clock that stops, or nearly, while a cell is ready to run but has no processor.

    A process that sleeps, or waits for a lock or for input, isn't ready to run, so its time counts.

    Args:
        schedstats: descriptors of the files `/proc/PID/schedstat` of the processes that take turns
            at a cell. Without any descriptor this clock is `time.monotonic`.
    """

    def __init__(self, schedstats: Sequence[int] = ()) -> None:
        self._seen = dict.fromkeys(schedstats, 0.0)
        self.restart()

    def restart(self, latest: float = float("inf")) -> None:
        """Start counting for a new cell.

        Args:
            latest: the time of `time.monotonic` from which waiting is no longer left out.
        """
        self._start, self._latest = monotonic(), latest
        self._waited = self._read()

    def now(self) -> float:
        """Return `time.monotonic`, less the time that the cell has waited."""
        wall = monotonic()
        if wall >= self._latest:
            return wall
        return wall - min(self.waited(), (wall - self._start) * (1 - 1 / STRETCH))

    def waited(self) -> float:
        """Return the seconds since `restart` in which a process was ready to run, but didn't."""
        return self._read() - self._waited

    def _read(self) -> float:
        for file in self._seen:
            with suppress(OSError):  # the process has ended
                # Nanoseconds on a processor, nanoseconds ready to run without one, time slices.
                self._seen[file] = int(os.pread(file, 100, 0).split()[1]) / 1e9
        return sum(self._seen.values())


def own_schedstat() -> list[int]:
    """Return this process's descriptor for `FairTime`; empty if the kernel has no such file."""
    with suppress(OSError):
        return [os.open("/proc/self/schedstat", os.O_RDONLY)]
    return []
