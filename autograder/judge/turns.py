"""Which of a test's threads may talk with the student's process, and that no process of it may."""

from __future__ import annotations

import multiprocessing.process
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from autograder.judge.errors import RefusedError

_PROCESS = (
    "a test can't start a process, because the student's code runs in a process of its own: to "
    "limit its time use signal.alarm, or a thread (ThreadPoolExecutor, threading.Thread)"
)


_AGAIN = 0.25


class Turns:
    """Lets one thread of a test after the other ask.

    Student code may be called in a thread, to limit its time. While that thread waits for the
    answer, another thread's request waits for its turn.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._asking: int | None = None
        self._over: set[int] = set()  # threads that a former test left running
        self.refused: RefusedError | None = None

    def install(self) -> None:
        """Refuse new processes from now on."""

        def refuse(*_: Any) -> Any:
            self.refused = RefusedError(_PROCESS)
            raise self.refused

        multiprocessing.process.BaseProcess.start = refuse  # type: ignore[assignment]
        os.fork = refuse

    def is_mine(self) -> bool:
        """Return whether this thread asks now, or whether nobody does."""
        return self._asking in (None, threading.get_ident())

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for the turn of this thread, and take it.

        Raises:
            RuntimeError: the test that started this thread has ended.
        """
        if threading.get_ident() in self._over:
            raise RuntimeError("the test that started this thread has ended")
        with self._lock:
            before, self._asking = self._asking, threading.get_ident()
            try:
                yield
            finally:
                self._asking = before

    def end(self, interrupt: Callable[[], None], seconds: float, now: Callable[[], float]) -> bool:
        """End what other threads still ask when their test has ended.

        Args:
            interrupt: interrupts the student's code.
            seconds: how long to wait for that.
            now: the clock of the limits.

        Returns:
            Whether no thread asks any more.
        """
        main = threading.main_thread()
        self._over = {thread.ident or 0 for thread in threading.enumerate() if thread is not main}
        latest = now() + seconds
        while not self._lock.acquire(blocking=False):
            interrupt()  # again and again: the student's code may not run yet
            if self._lock.acquire(timeout=_AGAIN):
                break
            if now() > latest:
                return False
        self._lock.release()
        return True
