"""A launched process and all that it starts: its end, its limits, its log."""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

from autograder.errors import AutograderError
from autograder.sandbox.limits import (
    MB,
    Computed,
    Limits,
    exact_memory,
    resident_memory,
    socket_memory,
)
from autograder.sandbox.linux import pid_of
from autograder.sandbox.warm import receive

FORK_SECONDS = 60.0
WATCH_SECONDS = 0.05
FILL_RATE = 8192 * MB  # bytes a second; no process fills memory faster
NEAR = 0.6  # the share of the bound from which on processes stand still while memory is measured
LOG_BYTES = 16_384


class LaunchError(AutograderError):
    """A process could not be started."""


class Process:
    """A launched process and its descendants; closing it kills them.

    Attributes:
        pid: the number of the process in the launcher's pid namespace.
        computed: processor time so far, in seconds, descendants included.
        cpu_bound: the processor time, in seconds, beyond which all are killed; it may be changed.
        returncode: None while the process runs; negative for a signal, as in subprocess.
        reason: the limit for which it was killed, as the end of a sentence; None if for none.
        cpu_seconds: processor time of it and the children that it waited for, set at its end.
        pidfd: a descriptor of the process; a signal sent through it can't reach another process.
        folder: a descriptor of the private folder; None if the process isn't isolated.
        memory_bound: bytes of memory; if the process and its descendants hold more, all are killed.
    """

    def __init__(
        self, target: str, connection: socket.socket, log: int, limits: Limits, isolated: bool
    ) -> None:
        self.pid = 0
        self.returncode: int | None = None
        self.reason: str | None = None
        self.cpu_seconds = 0.0
        self.computed = 0.0
        self.cpu_bound: float = limits.cpu_seconds
        self.folder: int | None = None
        self.memory_bound = 0
        self.pidfd = -1
        self._connection = connection
        self._log = log
        self._limits = limits
        self._isolated = isolated
        self._ended = threading.Event()
        self._deadline = time.monotonic() + limits.wall_seconds
        try:
            self._await_ready(target)
        except BaseException:
            self._let_go()
            raise
        self._account = Computed()
        self._pause = WATCH_SECONDS
        self._counted_twice = 0  # bytes of shared pages, when they were last divided
        self._watch = threading.Thread(target=self._watch_limits, name="limits", daemon=True)
        try:
            self._watch.start()
        except RuntimeError as error:  # no thread to be had; a process must not run unwatched
            self.kill()
            self._let_go()
            raise LaunchError(
                f"{target} could not be launched: nothing can watch its limits: {error}.",
                "see whether this machine has too many processes, then run the command again",
            ) from error

    def _await_ready(self, target: str) -> None:
        self._connection.settimeout(FORK_SECONDS)
        ready = False
        while not (ready and self.pidfd >= 0):
            try:
                reply, fds = receive(self._connection)
            except OSError as error:
                reply, fds = {"error": tail(self._log) or f"no answer ({error})"}, []
            if "forked" in reply:
                self.pidfd = fds[0]
                self.pid = pid_of(self.pidfd)
            elif "ready" in reply:
                ready, self.folder = True, fds[0] if fds else None
                self.memory_bound = self._limits.memory_bytes + reply["memory"]
            else:
                problem = reply.get("error") or tail(self._log) or "it ended at once"
                raise LaunchError(
                    f"{target} could not be launched: {problem}",
                    "see what this machine lacks: autograder doctor",
                )

    def poll(self) -> int | None:
        """The return code, or None while the process runs."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until the process has ended; return the return code.

        Raises:
            TimeoutError: the process still runs after `timeout` seconds.
        """
        if not self._ended.wait(timeout):
            raise TimeoutError(f"process {self.pid} still runs after {timeout} s")
        assert self.returncode is not None
        return self.returncode

    def interrupt(self) -> None:
        """Send SIGINT, which raises KeyboardInterrupt in the main thread."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, signal.SIGINT)

    def kill(self, reason: str | None = None) -> None:
        """Kill the process and its descendants; call `wait` to wait for their end."""
        if self.returncode is not None:
            return  # another process may have this pid by now
        self.reason = self.reason or reason
        with suppress(OSError):  # the process has ended already
            if not self._isolated and self.pid > 0:  # no pid namespace: kill its group
                os.killpg(self.pid, signal.SIGKILL)
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)

    def log(self) -> str:
        """The end of what the process wrote to its standard output and error."""
        return tail(self._log)

    def schedstat(self) -> int | None:
        """A descriptor of the file that tells how long the main thread waited for a processor.

        None if the kernel has no such file or the process has ended.
        """
        try:
            return os.open(f"/proc/{self.pid}/schedstat", os.O_RDONLY)
        except OSError:
            return None

    def close(self) -> None:
        """Kill the process and its descendants, wait for their end, and close all descriptors."""
        self.kill()
        self._watch.join()
        self._let_go()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _let_go(self) -> None:
        self._connection.close()
        for fd in (self.pidfd, self._log, self.folder):
            if fd is not None and fd >= 0:
                os.close(fd)
        self.pidfd, self._log, self.folder = -1, -1, None

    def _watch_limits(self) -> None:
        try:  # on a busy machine, the watch must not wait for students' processes
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), -10)
        except PermissionError:  # an ordinary user can only lower the students' priority
            self._account.defer(10)
        while not select.select([self._connection], [], [], self._pause)[0]:
            if time.monotonic() > self._deadline:
                self.kill(f"ran for more than {self._limits.wall_seconds:g} s")
            elif self._look() > self.cpu_bound:
                self.kill(f"computed for more than {self.cpu_bound:g} s")
            elif self._holds_too_much():
                self.kill(f"used more than {self._limits.memory_bytes // MB:,} MB of memory")
        try:
            reply, _ = receive(self._connection)
        except OSError:
            reply = {}
        # No report means: the warm process has died, and the kernel has killed its children.
        self.cpu_seconds = reply.get("cpu_seconds", 0.0)
        self.returncode = reply.get("exit", -signal.SIGKILL)
        killed = self.returncode == -signal.SIGKILL and self.reason is None
        # The kernel enforces this limit, too, and its account differs a little from the watchdog's.
        if killed and self.cpu_seconds >= 0.8 * self._limits.cpu_seconds:
            self.reason = f"computed for more than {self._limits.cpu_seconds} s"
        self._ended.set()

    def _look(self) -> float:
        self.computed = self._account.look(self.pid)
        return self.computed

    def _holds_too_much(self) -> bool:
        """Whether memory exceeds its bound; else choose a pause too short to exceed it by much."""
        started = time.monotonic()
        most_shared = None if self.folder is None else _used(self.folder)
        held = resident_memory(self.pid, most_shared=most_shared)
        others = os.fstat(self._log).st_blocks * 512  # the printed text is in memory, too
        if self._isolated:  # else its sockets can't be told from the machine's
            others += socket_memory(self.pid)
        cost = time.monotonic() - started  # pause at least as long: half a core at most
        bound = self.memory_bound - others
        if held > bound:
            near = held - self._counted_twice > NEAR * bound
            exact = exact_memory(self.pid, held, bound, stopped=near)
            self._counted_twice, held = held - exact, exact
            if not near:
                cost = time.monotonic() - started
        self._pause = min(WATCH_SECONDS, max((bound - held) / FILL_RATE, cost, 0.001))
        return held > bound


def _used(folder: int) -> int:
    """Bytes used in the file system that holds `folder`, a descriptor."""
    statistics = os.fstatvfs(folder)
    return (statistics.f_blocks - statistics.f_bfree) * statistics.f_bsize


def tail(log: int) -> str:
    """The last lines of a log."""
    size = os.fstat(log).st_size
    return os.pread(log, LOG_BYTES, max(0, size - LOG_BYTES)).decode(errors="replace").strip()
