"""The system calls that a candidate may not make.

Written as a BPF program by hand, so that no library has to be installed. All else is allowed:
what a candidate can reach is decided by its namespaces; this closes what namespaces leave open,
and large parts of the kernel that no notebook needs.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import socket
import struct

from autograder.sandbox.linux import PR_SET_PDEATHSIG, PR_SET_SECCOMP, prctl

# Name: (number on x86_64, number on aarch64), None where the call doesn't exist.
_REFUSED: dict[str, tuple[int | None, int | None]] = {
    # other processes
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    # namespaces and mounts
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    # memory that neither the file system's size nor a process's resident memory bounds
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    # parts of the kernel that break often
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "fanotify_init": (300, 262),
    "personality": (135, 92),
    "modify_ldt": (154, None),
    # the machine
    "syslog": (103, 116),
    "acct": (163, 89),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
}
# Judged by their arguments.
_CLONE, _CLONE3 = (56, 220), (435, 435)
_SOCKET, _PRCTL = (41, 198), (157, 167)

_NEW_NAMESPACE = 0x7E02_0000  # CLONE_NEW… of mount, cgroup, uts, ipc, user, pid, net
_SOCKET_FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6)
_AUDIT_ARCH = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}
_X32_BIT = 0x4000_0000

_LOAD, _EQUAL, _ANY_BIT, _AT_LEAST, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
_OFFSET_NUMBER, _OFFSET_ARCH, _OFFSET_ARGUMENT, _OFFSET_THIRD_ARGUMENT = 0, 4, 16, 32
_ALLOW, _KILL, _ERRNO = 0x7FFF_0000, 0x8000_0000, 0x0005_0000

_Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, constant


def _refuse(error: int) -> _Instruction:
    return (_RETURN, 0, 0, _ERRNO | error)


def _program(machine: str) -> list[_Instruction]:
    column = list(_AUDIT_ARCH).index(machine)
    program: list[_Instruction] = [
        (_LOAD, 0, 0, _OFFSET_ARCH),
        (_EQUAL, 1, 0, _AUDIT_ARCH[machine]),
        (_RETURN, 0, 0, _KILL),  # a call in another architecture's numbers
        (_LOAD, 0, 0, _OFFSET_NUMBER),
        (_AT_LEAST, 0, 1, _X32_BIT),
        _refuse(errno.ENOSYS),
    ]
    for numbers in _REFUSED.values():
        if (number := numbers[column]) is not None:
            program += [(_EQUAL, 0, 1, number), _refuse(errno.EPERM)]
    # clone3 passes its flags by pointer, unreadable here: without it, libc falls back to clone.
    program += [(_EQUAL, 0, 1, _CLONE3[column]), _refuse(errno.ENOSYS)]
    program += [
        (_EQUAL, 0, 4, _CLONE[column]),
        (_LOAD, 0, 0, _OFFSET_ARGUMENT),
        (_ANY_BIT, 0, 1, _NEW_NAMESPACE),
        _refuse(errno.EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]
    # A candidate that asked not to die with its parent would outlive it: say yes, do nothing.
    program += [
        (_EQUAL, 0, 4, _PRCTL[column]),
        (_LOAD, 0, 0, _OFFSET_ARGUMENT),
        (_EQUAL, 0, 1, PR_SET_PDEATHSIG),
        _refuse(0),
        (_RETURN, 0, 0, _ALLOW),
    ]
    families = len(_SOCKET_FAMILIES)
    program += [(_EQUAL, 0, families + 5, _SOCKET[column])]
    program += [(_LOAD, 0, 0, _OFFSET_ARGUMENT)]
    for index, family in enumerate(_SOCKET_FAMILIES):
        program += [(_EQUAL, families - index + 3, 0, family)]
    program += [
        (_EQUAL, 0, 2, socket.AF_NETLINK),  # of its kinds, the one that lists interfaces
        (_LOAD, 0, 0, _OFFSET_THIRD_ARGUMENT),
        (_EQUAL, 1, 0, 0),
        _refuse(errno.EAFNOSUPPORT),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return program


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def restrict_system_calls() -> None:
    """Refuse those system calls to this process and its children, for good.

    Needs no-new-privileges to be set.
    """
    code = b"".join(struct.pack("HBBI", *step) for step in _program(platform.machine()))
    program = _Program(len(code) // 8, code)
    prctl(PR_SET_SECCOMP, 2, ctypes.addressof(program))
