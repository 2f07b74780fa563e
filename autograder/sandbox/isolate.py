"""Isolates a process from the machine.

The warm process needs the right to make mounts and namespaces. Root has this right; an ordinary
user gets it in a new user namespace (`gain_privileges`). A candidate is forked into a new pid
namespace (`new_pid_namespace`) and then isolates itself (`enter`). It gets its own mount, network,
ipc and uts namespaces, the view that the warm process built, private writable places in this view,
and an unprivileged user. Last it enters a user namespace that owns none of the other namespaces.
Therefore even a candidate that had all capabilities there could not change a mount.
"""

from __future__ import annotations

import functools
import os
import select
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from autograder.sandbox import linux
from autograder.sandbox.limits import Limits, apply_limits, bound_sockets
from autograder.sandbox.seccomp import restrict_system_calls
from autograder.sandbox.view import CANDIDATE_UID, FOLDER, HOME

_CAP_SYS_ADMIN = 21
_PROC_FLAGS = linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC


class IsolationError(Exception):
    """The machine forbids isolation; the message names the step that was refused."""


def gain_privileges() -> None:
    """Let this process make mounts and namespaces that only it and its children see.

    The function returns in a forked child, which is process 1 of a new pid namespace. When this
    child ends, the kernel ends every process that it started. The caller only waits for the child.
    Call the function while the process has one thread.

    Raises:
        IsolationError: the machine forbids it.
    """
    starter = os.pidfd_open(os.getpid())
    try:
        if not _is_privileged():
            _enter_user_namespace(os.getuid(), os.getgid())
        linux.unshare(linux.CLONE_NEWNS | linux.CLONE_NEWPID)
        linux.mount("", Path("/"), flags=linux.MS_REC | linux.MS_PRIVATE)
        if child := os.fork():
            _stand_by(child)
        die_with(starter)
        os.close(starter)
        linux.mount("proc", Path("/proc"), "proc", _PROC_FLAGS)
    except OSError as error:
        raise IsolationError(f"a user, mount and pid namespace of its own ({error})") from error


def _stand_by(child: int) -> NoReturn:
    os.closerange(0, os.sysconf("SC_OPEN_MAX"))
    _, status = os.waitpid(child, 0)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def _is_privileged() -> bool:
    status = Path("/proc/self/status").read_text().splitlines()
    effective = next(line.split()[1] for line in status if line.startswith("CapEff"))
    return bool(int(effective, 16) >> _CAP_SYS_ADMIN & 1)


def _enter_user_namespace(uid: int, gid: int) -> None:
    """Move into a new user namespace, in which this process has user `uid` and group `gid`."""
    outer_ids = os.getuid(), os.getgid()
    linux.unshare(linux.CLONE_NEWUSER)
    process = Path("/proc/self")
    (process / "setgroups").write_text("deny")
    (process / "uid_map").write_text(f"{uid} {outer_ids[0]} 1")
    (process / "gid_map").write_text(f"{gid} {outer_ids[1]} 1")


@contextmanager
def new_pid_namespace() -> Iterator[None]:
    """Make a process that is forked inside the block process 1 of a new pid namespace.

    When process 1 ends, the kernel ends every process of its namespace.
    """
    namespace = os.open("/proc/self/ns/pid", os.O_RDONLY)
    try:
        linux.unshare(linux.CLONE_NEWPID)
        yield
    finally:
        linux.enter_namespace(namespace, linux.CLONE_NEWPID)
        os.close(namespace)


def enter(root: Path, folder: Path | None, limits: Limits, *, parent: int) -> int:
    """Isolate this process from the machine, without a way back.

    Args:
        root: the view that `build_view` made.
        folder: its files are copied to /submission, without links and special files.
        limits: the bounds of disk, memory, processes and so on.
        parent: a pidfd of the warm process; this process is killed when the warm process dies.

    Returns:
        An O_PATH descriptor of the private folder, for the launcher.

    Raises:
        OSError: the machine refused a step; ENOSPC if `folder` exceeds the bounds of the disk.
    """
    linux.unshare(linux.CLONE_NEWNS | linux.CLONE_NEWNET | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS)
    linux.set_hostname("sandbox")
    linux.raise_loopback()
    bound_sockets()
    _make_private_places(root, limits)
    inside = root / FOLDER.relative_to("/")
    if folder is not None:
        _copy_files(folder, inside)
    handle = os.open(inside, os.O_PATH | os.O_DIRECTORY)
    linux.make_root(root)
    if os.getuid() == 0:
        nobody = _unprivileged_id()
        os.setgroups([])
        os.setresgid(nobody, nobody, nobody)
        os.setresuid(nobody, nobody, nobody)
        linux.prctl(linux.PR_SET_DUMPABLE, 1)  # else /proc/self would still belong to root
    _enter_user_namespace(CANDIDATE_UID, CANDIDATE_UID)
    apply_limits(limits, isolated=True)
    linux.drop_capabilities()
    die_with(parent)
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    restrict_system_calls()
    return handle


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies; `parent` is the parent's pidfd."""
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    if select.select([parent], [], [], 0)[0]:  # the parent died before the call above
        os._exit(1)


def _make_private_places(root: Path, limits: Limits) -> None:
    """Mount /proc, and one file system of bounded size for /submission, /tmp and /dev/shm."""
    flags = linux.MS_NOSUID | linux.MS_NODEV
    linux.mount("proc", root / "proc", "proc", _PROC_FLAGS)
    terminals = "newinstance,ptmxmode=0666,mode=620"  # no NODEV, because ptmx is a device
    linux.mount("devpts", root / "dev/pts", "devpts", linux.MS_NOSUID, terminals)
    with os.scandir(root / "tmp") as entries:  # the mount below covers these folders
        shown_folders = {entry.name: os.open(entry.path, os.O_PATH) for entry in entries}
    bounds = f"size={limits.disk_bytes},nr_inodes={limits.disk_files},mode=755"
    linux.mount("tmpfs", root / "tmp", "tmpfs", flags, bounds)
    for place in (FOLDER.name, "dev/shm", "tmp"):  # /tmp last, because it covers the other sources
        source = root / "tmp" / Path(place).name
        source.mkdir()
        _give(source)
        linux.bind(source, root / place)
    (root / HOME.relative_to("/")).mkdir()
    _give(root / HOME.relative_to("/"))
    for name, fd in shown_folders.items():
        (root / "tmp" / name).mkdir()
        linux.bind(Path(f"/proc/self/fd/{fd}"), root / "tmp" / name)
        os.close(fd)


def _copy_files(source: Path, target: Path) -> None:
    """Copy regular files and folders only: a link could lead anywhere, a pipe could block.

    Notebooks are left out, because they hold the hidden tests once the instructor's cells are
    restored.
    """
    with os.scandir(source) as entries:
        for entry in entries:
            place = target / entry.name
            if entry.is_dir(follow_symlinks=False):
                place.mkdir()
                _give(place)
                _copy_files(Path(entry.path), place)
            elif entry.is_file(follow_symlinks=False) and place.suffix != ".ipynb":
                shutil.copyfile(entry.path, place, follow_symlinks=False)
                _give(place)


def _give(path: Path) -> None:
    if os.getuid() == 0:
        os.chown(path, _unprivileged_id(), _unprivileged_id())


@functools.cache
def _unprivileged_id() -> int:
    """The id of user and group for candidates that root starts: nearly the highest id there is.

    It is above every user's id, and above the ids that containers usually get.
    """
    first, _, count = map(int, Path("/proc/self/uid_map").read_text().split()[:3])
    return min(1_879_048_190, first + count - 1)
