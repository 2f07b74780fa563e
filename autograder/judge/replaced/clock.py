"""The cell's time limit and a test's own alarms, which share the process's only timer.

A test may stop a slow call with `signal.alarm`, as in stock nbgrader. Its timer must not replace
the cell's limit, and its handler must not raise while a message is half written. So this module
replaces `signal.signal`, `alarm` and `setitimer`, and keeps the test's alarm and handlers itself.
The real timer is set to the earlier of limit and alarm. A handler is called when it can do no harm.
"""

from __future__ import annotations

import contextlib
import math
import signal
import threading
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any, Protocol

_TICK = 0.25
_EARLY = 0.002  # the real timer may go off this much too early by the clock of the limits


class Listener(Protocol):
    """What the clock needs of the judge's end of the conversation: see `JudgePeer`."""

    stopped: BaseException | None

    def is_talking(self) -> bool:
        """Return whether the main thread makes, sends, awaits or reads a message."""

    def is_waiting(self) -> bool:
        """Return whether the main thread only waits for a message."""

    def time_is_up(self) -> None:
        """Act on the cell's limit, which has passed; called repeatedly."""

    def stop(self, error: BaseException) -> None:
        """Take the error that a test's handler raised while the student's code ran."""

    def remind(self) -> None:
        """Ask the candidate again to stop, if it was asked before."""


class Clock:
    """Replaces the process's timer and the handlers of its signals.

    Args:
        listener: the judge's end of the conversation.
        now: the clock of limits and alarms. It may run slower than the wall clock, which the real
            timer follows, so the timer is set again if it went off too early.
    """

    def __init__(self, listener: Listener, now: Callable[[], float] = monotonic) -> None:
        self._listener = listener
        self._now = now
        self._limit: float | None = None
        self._alarm: float | None = None
        self._interval = 0.0
        self._heeds = False
        self._handlers: dict[int, Any] = {
            signal.SIGALRM: signal.SIG_DFL,
            signal.SIGINT: signal.default_int_handler,
        }
        self._pending: list[tuple[int, Any]] = []
        self._real = {name: getattr(signal, name) for name in _REPLACED}

    def install(self) -> None:
        """Replace the functions of the module `signal`."""
        self._real["signal"](signal.SIGALRM, self._ring)
        self._real["signal"](signal.SIGINT, self._arrived)
        for name in _REPLACED:
            setattr(signal, name, getattr(self, name))

    def close(self) -> None:
        """Stop the timer, and restore the functions of the module `signal`."""
        self._limit = self._alarm = None
        self._arm()
        for name, function in self._real.items():
            setattr(signal, name, function)

    @contextlib.contextmanager
    def limit(self, seconds: float, *, is_test: bool) -> Iterator[None]:
        """Tell the listener when the time is up; a test's timers end with its cell.

        Args:
            seconds: the time until then.
            is_test: whether tests' handlers are called; a student's cell must not run a handler
                that a test left installed.
        """
        self._heeds = is_test
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
        self._limit, self._alarm = self._now() + seconds, None
        self._arm()
        try:
            yield
        finally:
            self._heeds = False
            self._limit = self._alarm = None
            self._pending.clear()
            self._arm()

    def flush(self) -> None:
        """Call the handlers of signals that arrived while a message was made or read."""
        while self._pending and self._may_deliver():
            self._deliver(*self._pending.pop(0))

    # The replacements of the module's functions.

    def signal(self, number: int, handler: Any) -> Any:
        """Do as `signal.signal`."""
        before = self.getsignal(number)
        if number == signal.SIGALRM:
            if threading.current_thread() is not threading.main_thread():
                raise ValueError("signal only works in main thread of the main interpreter")
            if not callable(handler) and handler not in (signal.SIG_DFL, signal.SIG_IGN):
                raise TypeError("signal handler must be SIG_IGN, SIG_DFL, or a callable object")
        else:
            plain = not callable(handler) or handler in (signal.SIG_DFL, signal.SIG_IGN)
            self._real["signal"](number, handler if plain else self._arrived)
        self._handlers[number] = handler
        return before

    def getsignal(self, number: int) -> Any:
        """Do as `signal.getsignal`."""
        if number in self._handlers:
            return self._handlers[number]
        return self._real["getsignal"](number)

    def alarm(self, seconds: int) -> int:
        """Do as `signal.alarm`."""
        left, _ = self.setitimer(signal.ITIMER_REAL, int(seconds))
        return math.ceil(left)

    def setitimer(self, which: int, seconds: float, interval: float = 0.0) -> tuple[float, float]:
        """Do as `signal.setitimer`."""
        if which != signal.ITIMER_REAL:
            left: tuple[float, float] = self._real["setitimer"](which, seconds, interval)
            return left
        if seconds < 0 or interval < 0:
            raise signal.ItimerError(22, "Invalid argument")
        before = self.getitimer(which)
        self._alarm = self._now() + seconds if seconds else None
        self._interval = interval
        self._arm()
        return before

    def getitimer(self, which: int) -> tuple[float, float]:
        """Do as `signal.getitimer`."""
        if which != signal.ITIMER_REAL:
            left: tuple[float, float] = self._real["getitimer"](which)
            return left
        if self._alarm is None:
            return 0.0, 0.0
        return max(self._alarm - self._now(), 1e-6), self._interval

    # The real timer and signals.

    def _arm(self) -> None:
        times = [when for when in (self._limit, self._alarm) if when is not None]
        if self._listener.stopped is not None:
            times.append(self._now() + _TICK)
        delay = max(min(times) - self._now(), 1e-4) if times else 0.0
        self._real["setitimer"](signal.ITIMER_REAL, delay)

    def _ring(self, number: int, frame: Any) -> None:
        """Handle the real timer's signal."""
        now = self._now() + _EARLY
        limit_passed = self._limit is not None and now >= self._limit
        alarm_passed = self._alarm is not None and now >= self._alarm
        if limit_passed:
            self._limit = now + _TICK
        if alarm_passed:
            self._alarm = now + self._interval if self._interval else None
        self._listener.remind()
        self._arm()
        try:
            if alarm_passed:
                self._arrived(number, frame)
        finally:
            if limit_passed:
                self._listener.time_is_up()

    def _arrived(self, number: int, frame: Any) -> None:
        if self._may_deliver():
            self._deliver(number, frame)
        else:
            self._pending.append((number, frame))

    def _may_deliver(self) -> bool:
        """Return whether no message is half made or half read."""
        return self._listener.is_waiting() or not self._listener.is_talking()

    def _deliver(self, number: int, frame: Any) -> None:
        """Call the test's handler; an error that it raises stops the student's running code."""
        handler = self._handlers.get(number)
        if not self._heeds or self._listener.stopped is not None or handler is signal.SIG_IGN:
            return
        if not callable(handler) or handler is signal.SIG_DFL:
            handler = _unhandled
        if not self._listener.is_waiting():
            handler(number, frame)
            return
        try:
            handler(number, frame)
        except BaseException as error:
            error.__traceback__ = None  # its frames belong to the conversation
            self._listener.stop(error)
            self._arm()


_REPLACED = ("signal", "getsignal", "alarm", "setitimer", "getitimer")


def _unhandled(number: int, _: Any) -> None:
    raise TimeoutError(
        f"{signal.Signals(number).name} came, which ends a process that has no handler for it: "
        "call signal.signal first"
    )
