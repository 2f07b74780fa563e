"""How much a process may use, and what it uses."""

from __future__ import annotations

import functools
import math
import os
import resource
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MB = 1 << 20
_FULL_SHARES = 4  # processes that a submission may have before each gets less of the machine
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Limits:
    """Bounds of one launched process and all that it starts.

    Attributes:
        wall_seconds: from launch to end.
        cpu_seconds: of all processes together.
        memory_bytes: beyond what the warm process holds: of each process's private memory, and
            of the resident memory of all together, with what an isolated one's sockets can hold.
        processes: processes and threads together. Binds isolated processes only.
        open_files: of each process.
        file_bytes: size of one file.
        disk_bytes: of the folder, /tmp and /dev/shm together. Binds isolated processes only.
        disk_files: files and folders in those. Binds isolated processes only.
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
    """Bind this process and its children to `limits`, as far as the kernel keeps account itself.

    Soft and hard limits are the same: the process can't raise them. RLIMIT_AS is left alone:
    torch maps 3.6 GB before any work, and CUDA far more. A process that is alone meets a
    MemoryError, which it can catch, a little before the bound at which it would be ended.
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
        # Counted within the process's own user namespace. Elsewhere it would count the user's
        # other processes too.
        wanted[resource.RLIMIT_NPROC] = limits.processes
    for kind, value in wanted.items():
        _, hard = resource.getrlimit(kind)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))


def _private_memory() -> int:
    return _fields(Path("/proc/self/status"))["VmData"]


def resident_memory(pid: int, *, exact: bool = False, most_shared: int | None = None) -> int:
    """Bytes of memory that `pid` and its descendants hold, without files and program text.

    Page tables count, and what was swapped out.

    Args:
        pid: a process; one that has ended holds nothing.
        exact: share pages out among the processes that share them; else each counts in full,
            which is a hundred times quicker and never too little.
        most_shared: bytes in all the files of memory that they can share; None if not known.
    """
    total = shared = 0
    for each in _tree(pid):
        process = Path(f"/proc/{each}")
        with suppress(OSError, KeyError):  # it ended meanwhile
            fields = _fields(process / "status")
            total += fields["VmPTE"]
            if exact:
                fields = _fields(process / "smaps_rollup")
                total += fields["Pss_Anon"] + fields["Pss_Shmem"] + fields["SwapPss"]
            else:
                total += fields["RssAnon"] + fields["VmSwap"]
                shared += fields["RssShmem"]
    return total + (shared if most_shared is None else min(shared, most_shared))


def held_memory(pid: int, bound: int, most_shared: int | None = None) -> int:
    """Bytes that `pid` and its descendants hold: what matters to a bound, at little cost.

    Sharing pages out means walking every page table, which takes the longer the more of them there
    are: it is left out where it can't matter.
    """
    quick = resident_memory(pid, most_shared=most_shared)
    if quick <= bound:
        return quick
    tables = 0
    processes = list(_tree(pid))
    for each in processes:
        with suppress(OSError, KeyError):
            tables += _fields(Path(f"/proc/{each}/status"))["VmPTE"]
    if len(processes) == 1 or tables > bound:
        return quick
    return resident_memory(pid, exact=True)


def socket_memory(pid: int) -> int:
    """Bytes that all sockets of a process's network namespace could hold, were their queues full.

    Nobody can read what they do hold. Buffers are of the machine's default size: `bound_sockets`
    and the system call filter see to it.
    """
    with suppress(OSError, StopIteration, ValueError):
        lines = Path(f"/proc/{pid}/net/sockstat").read_text().splitlines()
        count = next(int(line.split()[-1]) for line in lines if line.startswith("sockets:"))
        return count * _socket_bytes()
    return 0  # it ended


@functools.cache
def _socket_bytes() -> int:
    total = 0
    for name in ("rmem_default", "wmem_default"):
        try:
            total += int(Path(f"/proc/sys/net/core/{name}").read_text())
        except (OSError, ValueError):
            total += 212_992  # the kernel's own
    return total


def bound_sockets() -> None:
    """Let no TCP socket of this process's network namespace grow its buffers by itself."""
    for name in ("tcp_rmem", "tcp_wmem"):
        setting = Path("/proc/sys/net/ipv4") / name
        least, usual, _ = setting.read_text().split()
        setting.write_text(f"{least} {usual} {usual}")


class Computed:
    """The processor time of a process and all that it starts, and how much of it they may ask for.

    It looks at intervals: what a short-lived child used since the last look may be missing.
    """

    def __init__(self) -> None:
        self._own: dict[tuple[int, str], float] = {}  # by number and start: numbers are used again
        self._nice = 0
        self._behind = 0

    def defer(self, levels: int) -> None:
        """Put the processes behind others by so many levels of niceness, from the next look on."""
        self._behind = levels

    def look(self, pid: int) -> float:
        """Seconds so far. Many processes together get what a few of other submissions get."""
        processes = list(_tree(pid))
        for each in processes:
            with suppress(OSError, ValueError):  # it ended meanwhile
                # The name, in brackets, may hold anything; 11 fields on, its time and the kernel's.
                fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
                self._own[each, fields[19]] = (int(fields[11]) + int(fields[12])) / _TICKS
        if len(processes) > _FULL_SHARES or self._nice or self._behind:
            self._share(processes)
        return sum(self._own.values())

    def _share(self, processes: list[int]) -> None:
        """Of more processes each gets less: a level of niceness takes a fifth of its weight."""
        wanted = math.ceil(math.log(max(1.0, len(processes) / _FULL_SHARES), 1.25))
        wanted += self._behind
        self._nice = max(self._nice, min(19, wanted))  # only root may take it back
        for each in processes:
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, each, self._nice)
            with suppress(OSError):  # where each session is a group, that decides
                group = Path(f"/proc/{each}/autogroup")
                # Who isn't root may write ten times a second: not to a group that has it already.
                if group.read_text().split()[-1:] != [str(self._nice)]:
                    group.write_text(str(self._nice))


def _tree(pid: int) -> Iterator[int]:
    """`pid` and all its descendants."""
    waiting = [pid]
    while waiting:
        yield (each := waiting.pop())
        with suppress(OSError):
            for task in Path(f"/proc/{each}/task").iterdir():
                waiting += map(int, (task / "children").read_text().split())


def _fields(path: Path) -> dict[str, int]:
    """The fields of a file under /proc that are given in kB, in bytes."""
    lines = (line.split() for line in path.read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) * 1024 for words in lines if words[-1:] == ["kB"]}
