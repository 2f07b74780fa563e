"""How much a process may use, and how much it uses."""

from __future__ import annotations

import functools
import math
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

MB = 1 << 20
_FULL_SHARES = 4  # with more processes than this, a submission's processes get a lower priority
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Limits:
    """Bounds of one launched process and its descendants.

    Attributes:
        wall_seconds: time from launch to end.
        cpu_seconds: processor time of all processes together.
        memory_bytes: memory in addition to what the warm process holds. It bounds each process's
            private memory, and the resident memory of all processes together. For an isolated
            process the most that its sockets can hold counts, too.
        processes: processes and threads together; binds isolated processes only.
        open_files: open files of each process.
        file_bytes: size of one file.
        disk_bytes: size of the folder, /tmp and /dev/shm together; binds isolated processes only.
        disk_files: files and folders in these three; binds isolated processes only.
    """

    wall_seconds: float = 600.0
    cpu_seconds: int = 600
    memory_bytes: int = 2048 * MB
    processes: int = 128
    open_files: int = 512
    file_bytes: int = 256 * MB
    disk_bytes: int = 512 * MB
    disk_files: int = 8192


def apply_limits(limits: Limits, *, isolated: bool) -> None:
    """Bind this process and its children to those of the `limits` that the kernel enforces.

    Soft and hard limits are the same, so the process can't raise them. RLIMIT_AS is not set,
    because torch maps 3.6 GB before any work, and CUDA far more. A process without children gets
    a MemoryError, which it can catch, a little below the bound at which it would be killed.
    """
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: limits.cpu_seconds,
        resource.RLIMIT_DATA: _private_memory() + limits.memory_bytes * 31 // 32,
        resource.RLIMIT_FSIZE: limits.file_bytes,
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_STACK: 8 * MB,
    }
    if isolated:
        # The kernel counts within the process's own user namespace. Without this namespace it would
        # count the user's other processes, too.
        wanted[resource.RLIMIT_NPROC] = limits.processes
    for kind, value in wanted.items():
        _, hard = resource.getrlimit(kind)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))


def _private_memory() -> int:
    return _fields(Path("/proc/self/status"))["VmData"]


def resident_memory(pid: int, *, exact: bool = False, most_shared: int | None = None) -> int:
    """Bytes of memory that `pid` and its descendants hold, without files and program text.

    Page tables and swapped-out memory count.

    Args:
        pid: a process; if it has ended, it holds nothing.
        exact: whether to divide a shared page among the processes that share it. Otherwise the
            page counts in full for each process: a hundred times quicker, and never too little.
        most_shared: bytes in all the memory files that the processes can share; None if not known.
    """
    total = shared = 0
    for descendant in _tree(pid):
        process = Path(f"/proc/{descendant}")
        with suppress(OSError, KeyError):  # the process ended meanwhile
            fields = _fields(process / "status")
            total += fields["VmPTE"]
            if exact:
                fields = _fields(process / "smaps_rollup")
                total += fields["Pss_Anon"] + fields["Pss_Shmem"] + fields["SwapPss"]
            else:
                total += fields["RssAnon"] + fields["VmSwap"]
                shared += fields["RssShmem"]
    return total + (shared if most_shared is None else min(shared, most_shared))


def exact_memory(pid: int, most: int, bound: int, *, stopped: bool) -> int:
    """Bytes that `pid` and its descendants hold, each shared page divided among its processes.

    Dividing means a walk through every page table, which takes longer with more tables. This walk
    is left out, and `most` returned, if its result can't be below `bound`.

    Args:
        pid: a process.
        most: what `resident_memory` counts without dividing.
        bound: bytes that the processes may hold.
        stopped: whether the processes stand still during the walk, so that they can't fill memory
            meanwhile, and what the walk costs comes from their processor time.
    """
    tables = 0
    processes = list(_tree(pid))
    for process in processes:
        with suppress(OSError, KeyError):
            tables += _fields(Path(f"/proc/{process}/status"))["VmPTE"]
    if len(processes) == 1 or tables > bound:
        return most
    with _stopped(pid) if stopped else nullcontext():
        return resident_memory(pid, exact=True)


@contextmanager
def _stopped(pid: int) -> Iterator[None]:
    """`pid` and its descendants don't run during this block."""
    stopped: set[int] = set()
    try:
        while started := set(_tree(pid)) - stopped:  # a process may fork until it is stopped
            stopped |= started
            _signal(started, signal.SIGSTOP)
        yield
    finally:
        _signal(stopped, signal.SIGCONT)


def _signal(processes: set[int], number: signal.Signals) -> None:
    for process in processes:
        with suppress(OSError):  # it has ended; an error would end the watch
            os.kill(process, number)


def socket_memory(pid: int) -> int:
    """Bytes that the sockets of a process's network namespace hold if their queues are full.

    The kernel doesn't tell how much they hold. Their buffers have the machine's default size,
    because `bound_sockets` and the system call filter prevent any other size.
    """
    with suppress(OSError, StopIteration, ValueError):
        lines = Path(f"/proc/{pid}/net/sockstat").read_text().splitlines()
        count = next(int(line.split()[-1]) for line in lines if line.startswith("sockets:"))
        return count * _socket_bytes()
    return 0  # the process ended


@functools.cache
def _socket_bytes() -> int:
    total = 0
    for name in ("rmem_default", "wmem_default"):
        try:
            total += int(Path(f"/proc/sys/net/core/{name}").read_text())
        except (OSError, ValueError):
            total += 212_992  # the kernel's own default
    return total


def bound_sockets() -> None:
    """Keep the kernel from growing the buffers of TCP sockets in this network namespace."""
    for name in ("tcp_rmem", "tcp_wmem"):
        setting = Path("/proc/sys/net/ipv4") / name
        least, usual, _ = setting.read_text().split()
        setting.write_text(f"{least} {usual} {usual}")


class Computed:
    """The processor time that a process and its descendants used, and their priority.

    The time is read at intervals. The time of a child that started and ended between two readings
    may be missing.
    """

    def __init__(self) -> None:
        self._own: dict[tuple[int, str], float] = {}  # by pid and start time: pids are reused
        self._nice = 0
        self._behind = 0

    def defer(self, levels: int) -> None:
        """Raise the processes' niceness by `levels` from the next `look` on."""
        self._behind = levels

    def look(self, pid: int) -> float:
        """Seconds so far. Lower the priority of a submission that has many processes."""
        processes = list(_tree(pid))
        for process in processes:
            with suppress(OSError, ValueError):  # the process ended meanwhile
                # The name, in brackets, may hold any character. Fields 11 and 12 after it are the
                # time in the program and in the kernel; field 19 is the start time.
                fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
                self._own[process, fields[19]] = (int(fields[11]) + int(fields[12])) / _TICKS
        if len(processes) > _FULL_SHARES or self._nice or self._behind:
            self._share(processes)
        return sum(self._own.values())

    def _share(self, processes: list[int]) -> None:
        """Set a niceness at which all `processes` together get the share of a few.

        One level of niceness takes a fifth of a process's weight.
        """
        wanted = math.ceil(math.log(max(1.0, len(processes) / _FULL_SHARES), 1.25))
        wanted += self._behind
        self._nice = max(self._nice, min(19, wanted))  # only root may lower it again
        for process in processes:
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, process, self._nice)
            with suppress(OSError):  # a session that is a group has a niceness of its own
                group = Path(f"/proc/{process}/autogroup")
                # An ordinary user may write only ten times a second, so write only changes.
                if group.read_text().split()[-1:] != [str(self._nice)]:
                    group.write_text(str(self._nice))


def _tree(pid: int) -> Iterator[int]:
    """`pid` and all its descendants."""
    pending = [pid]
    while pending:
        yield (process := pending.pop())
        with suppress(OSError):
            for task in Path(f"/proc/{process}/task").iterdir():
                pending += map(int, (task / "children").read_text().split())


def _fields(path: Path) -> dict[str, int]:
    """The fields of a file under /proc that have the unit kB, converted to bytes."""
    lines = (line.split() for line in path.read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) * 1024 for words in lines if words[-1:] == ["kB"]}
