"""Shuts a process off from the machine.

The warm process needs the right to make mounts and namespaces: root has it, an ordinary user gets
it in a user namespace of its own (`gain_privileges`). A candidate is forked into a new pid
namespace (`new_pid_namespace`) and then shuts itself off (`enter`): its own mount, network, ipc
and uts namespaces, the view that the warm process built with private writable places in it, an
unprivileged user, and last a user namespace that owns none of the others, so that not even all of
its capabilities would let it change a mount.
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
    """The machine forbids isolation; the message says what was refused."""


def gain_privileges() -> None:
    """Let this process make mounts and namespaces that only it and its children see.

    It returns in a forked child, process 1 of a new pid namespace: with it ends, by the kernel,
    all that it started. The caller only waits for that child. Call it with one thread.

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
    """Move into a new user namespace, which calls this process's user and group `uid`, `gid`."""
    outside = os.getuid(), os.getgid()
    linux.unshare(linux.CLONE_NEWUSER)
    itself = Path("/proc/self")
    (itself / "setgroups").write_text("deny")
    (itself / "uid_map").write_text(f"{uid} {outside[0]} 1")
    (itself / "gid_map").write_text(f"{gid} {outside[1]} 1")


@contextmanager
def new_pid_namespace() -> Iterator[None]:
    """What is forked inside the block is process 1 of a new pid namespace; its death ends all."""
    own = os.open("/proc/self/ns/pid", os.O_RDONLY)
    try:
        linux.unshare(linux.CLONE_NEWPID)
        yield
    finally:
        linux.enter_namespace(own, linux.CLONE_NEWPID)
        os.close(own)


def enter(root: Path, folder: Path | None, limits: Limits, *, parent: int) -> int:
    """Shut this process off, for good.

    Args:
        root: the view that `build_view` made.
        folder: copied to /submission, links and special files left out.
        limits: bounds of disk, memory, processes and so on.
        parent: a pidfd of the warm process, without which this one doesn't live.

    Returns:
        An O_PATH descriptor of the private folder, for the launcher.

    Raises:
        OSError: the machine refused a step; a folder beyond its bounds is ENOSPC.
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
        linux.prctl(linux.PR_SET_DUMPABLE, 1)  # or /proc/self would still be root's
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
    if select.select([parent], [], [], 0)[0]:  # it had died before we asked
        os._exit(1)


def _make_private_places(root: Path, limits: Limits) -> None:
    """/proc, and one file system of bounded size for /submission, /tmp and /dev/shm."""
    plain = linux.MS_NOSUID | linux.MS_NODEV
    linux.mount("proc", root / "proc", "proc", _PROC_FLAGS)
    terminals = "newinstance,ptmxmode=0666,mode=620"  # its ptmx is a device: so no NODEV
    linux.mount("devpts", root / "dev/pts", "devpts", linux.MS_NOSUID, terminals)
    with os.scandir(root / "tmp") as entries:  # what the view shows there is about to be covered
        shown = {entry.name: os.open(entry.path, os.O_PATH) for entry in entries}
    bounds = f"size={limits.disk_bytes},nr_inodes={limits.disk_files},mode=755"
    linux.mount("tmpfs", root / "tmp", "tmpfs", plain, bounds)
    for place in (FOLDER.name, "dev/shm", "tmp"):  # /tmp last: it covers the others' roots
        source = root / "tmp" / Path(place).name
        source.mkdir()
        _give(source)
        linux.bind(source, root / place)
    (root / HOME.relative_to("/")).mkdir()
    _give(root / HOME.relative_to("/"))
    for name, fd in shown.items():
        (root / "tmp" / name).mkdir()
        linux.bind(Path(f"/proc/self/fd/{fd}"), root / "tmp" / name)
        os.close(fd)


def _copy_files(source: Path, target: Path) -> None:
    """Copy regular files and folders: a link could lead anywhere, a pipe could block.

    Notebooks stay behind: after an instructor's cells are restored they hold hidden tests.
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
    """The user and group that root's candidates are: as far out as this machine has ids.

    That is beyond every user's id, and beyond those that containers are usually given.
    """
    first, _, count = map(int, Path("/proc/self/uid_map").read_text().split()[:3])
    return min(1_879_048_190, first + count - 1)
