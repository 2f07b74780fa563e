"""The system calls that isolation needs and Python's library lacks."""

from __future__ import annotations

import ctypes
import fcntl
import os
import platform
import socket
import struct
from pathlib import Path

CLONE_NEWNS = 0x0002_0000
CLONE_NEWUTS = 0x0400_0000
CLONE_NEWIPC = 0x0800_0000
CLONE_NEWUSER = 0x1000_0000
CLONE_NEWPID = 0x2000_0000
CLONE_NEWNET = 0x4000_0000

MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 8, 1 << 12, 1 << 14, 1 << 18
MNT_DETACH = 2
MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NODEV = 1, 2, 4

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP = 1, 4, 24
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 22, 38

_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_SYS_MOUNT_SETATTR = 442
_AT_EMPTY_PATH, _AT_RECURSIVE = 0x1000, 0x8000
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1
_CAPABILITY_VERSION_3 = 0x2008_0522
_LAST_CAPABILITY = Path("/proc/sys/kernel/cap_last_cap")

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, action: str) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{action}: {os.strerror(error)}")
    return result


def mount(source: str, target: Path, kind: str = "", flags: int = 0, data: str = "") -> None:
    """Mount a file system; a bind mount has no `kind`."""
    result = _libc.mount(
        source.encode(),
        os.fsencode(target),
        kind.encode() or None,
        ctypes.c_ulong(flags),
        data.encode() or None,
    )
    _check(result, f"mount {source or kind} on {target}")


def bind(source: Path, target: Path) -> None:
    """Show `source`, a file or a whole tree, at `target` as well."""
    mount(os.fspath(source), target, flags=MS_BIND | MS_REC)


def unmount(target: Path) -> None:
    """umount2(2): remove the mount at `target` and all below it, once no process uses them."""
    _check(_libc.umount2(os.fsencode(target), MNT_DETACH), f"umount {target}")


class _MountAttributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "userns")]


def restrict_mounts(target: Path, attributes: int) -> None:
    """mount_setattr(2): add MOUNT_ATTR_ flags to the mount at `target` and all below it."""
    wanted = _MountAttributes(attributes, 0, 0, 0)
    size = ctypes.c_size_t(ctypes.sizeof(wanted))
    path = os.fsencode(target)
    result = _libc.syscall(
        _SYS_MOUNT_SETATTR, -100, path, _AT_RECURSIVE, ctypes.byref(wanted), size
    )
    _check(result, f"mount_setattr {target}")


def make_root(folder: Path) -> None:
    """Make the mount at `folder` this process's root, and unmount the old root."""
    os.chdir(folder)
    number = _SYS_PIVOT_ROOT[platform.machine()]
    _check(_libc.syscall(number, b".", b"."), f"pivot_root {folder}")
    unmount(Path())
    os.chdir("/")


def unshare(flags: int) -> None:
    """Move this process into new namespaces."""
    _check(_libc.unshare(flags), "unshare")


def enter_namespace(fd: int, kind: int) -> None:
    """setns(2)."""
    _check(_libc.setns(fd, kind), "setns")


def set_hostname(name: str) -> None:
    """sethostname(2), of this process's UTS namespace."""
    _check(_libc.sethostname(name.encode(), len(name)), "sethostname")


def raise_loopback() -> None:
    """Switch on the loopback interface, because libraries bind to 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))


def prctl(option: int, *values: int) -> None:
    """Set an attribute of this process; all arguments are integers."""
    padded = [ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4]]
    _check(_libc.prctl(option, *padded), f"prctl {option}")


class _CapabilityHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


def drop_capabilities() -> None:
    """Give up every capability, for this process and every program that it executes."""
    for capability in range(int(_LAST_CAPABILITY.read_text()) + 1):
        prctl(PR_CAPBSET_DROP, capability)
    header = _CapabilityHeader(_CAPABILITY_VERSION_3, 0)
    _check(_libc.capset(ctypes.byref(header), (ctypes.c_uint32 * 6)()), "capset")


_MADV_COLLAPSE, _HUGE = 25, 2 << 20


def collapse_memory() -> None:
    """Move this process's private memory into huge pages, where the kernel can (Linux 6.1).

    A fork copies the page table, not the pages. With huge pages the table is small: the fork takes
    a fifth of the time, and so does the child's end.
    """
    for line in Path("/proc/self/maps").read_text().splitlines():
        addresses, permissions, _, _, inode, *_ = line.split()
        if permissions != "rw-p" or inode != "0":
            continue
        start, end = (int(address, 16) for address in addresses.split("-"))
        start, end = -(-start // _HUGE) * _HUGE, end // _HUGE * _HUGE
        if start < end:  # a refusal does no harm
            _libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _MADV_COLLAPSE)


def pid_of(pidfd: int) -> int:
    """The pid of a process in this process's pid namespace; 0 or less if it has ended."""
    lines = Path(f"/proc/self/fdinfo/{pidfd}").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pid:"))
