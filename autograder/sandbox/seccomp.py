"""The system calls that a candidate may not make.

The filter is a BPF program written by hand, so that no library has to be installed. Calls that are
not listed are allowed. A candidate's namespaces decide what it can reach; the filter closes the
holes that namespaces leave, and large parts of the kernel that no notebook needs.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import socket
import struct

from autograder.sandbox.linux import PR_SET_PDEATHSIG, PR_SET_SECCOMP, prctl

# Name: (number on x86_64, number on aarch64); None if the call doesn't exist there.
_REFUSED: dict[str, tuple[int | None, int | None]] = {
    # other processes
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
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
    "statmount": (457, 457),
    "listmount": (458, 458),
    "open_tree_attr": (467, 467),
    "listns": (470, 470),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "file_getattr": (468, 468),
    "file_setattr": (469, 469),
    "vhangup": (153, 58),
    # memory that counts neither as file system nor as resident memory
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    "vmsplice": (278, 75),
    "remap_file_pages": (216, 234),
    # queues and watches of which all users share a fixed number
    "io_setup": (206, 0),
    "io_destroy": (207, 1),
    "io_submit": (209, 2),
    "io_cancel": (210, 3),
    "io_getevents": (208, 4),
    "io_pgetevents": (333, 292),
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "inotify_add_watch": (254, 27),
    "inotify_rm_watch": (255, 28),
    "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    # parts of the kernel in which security holes are often found
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "seccomp": (317, 277),
    "landlock_create_ruleset": (444, 444),
    "landlock_add_rule": (445, 445),
    "landlock_restrict_self": (446, 446),
    "lsm_get_self_attr": (459, 459),
    "lsm_set_self_attr": (460, 460),
    "lsm_list_modules": (461, 461),
    "map_shadow_stack": (453, 453),
    "lookup_dcookie": (212, 18),
    "nfsservctl": (180, 42),
    "uselib": (134, None),
    "ustat": (136, None),
    "sysfs": (139, None),
    "_sysctl": (156, None),
    "iopl": (172, None),
    "ioperm": (173, None),
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
    "create_module": (174, None),
    "query_module": (178, None),
    "get_kernel_syms": (177, None),
}
# Allowed or refused by their arguments.
_CLONE, _CLONE3 = (56, 220), (435, 435)
_SOCKET, _PRCTL, _MMAP = (41, 198), (157, 167), (9, 222)
_SETSOCKOPT = (54, 208)

_NEW_NAMESPACE = 0x7E02_0000  # CLONE_NEW… of mount, cgroup, uts, ipc, user, pid, net
_SOCKET_FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6)
_PROTOCOLS = (0, socket.IPPROTO_TCP, socket.IPPROTO_UDP)  # not MPTCP, UDP-Lite, SCTP …
_MAP_SHARED, _MAP_ANONYMOUS = 1, 0x20  # MAP_SHARED_VALIDATE contains MAP_SHARED
_AUDIT_ARCH = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}
_X32_BIT = 0x4000_0000

_LOAD, _EQUAL, _ANY_BIT, _AT_LEAST, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
_OFFSET_NUMBER, _OFFSET_ARCH, _OFFSET_ARGUMENT = 0, 4, 16
_OFFSET_SECOND_ARGUMENT, _OFFSET_THIRD_ARGUMENT, _OFFSET_FOURTH_ARGUMENT = 24, 32, 40
_ALLOW, _KILL, _ERRNO = 0x7FFF_0000, 0x8000_0000, 0x0005_0000

_Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, constant


def _refuse(error: int) -> _Instruction:
    return (_RETURN, 0, 0, _ERRNO | error)


def _program(machine: str, refusal: int = errno.EPERM) -> list[_Instruction]:
    column = list(_AUDIT_ARCH).index(machine)
    program: list[_Instruction] = [
        (_LOAD, 0, 0, _OFFSET_ARCH),
        (_EQUAL, 1, 0, _AUDIT_ARCH[machine]),
        (_RETURN, 0, 0, _KILL),  # a call by another architecture's number
        (_LOAD, 0, 0, _OFFSET_NUMBER),
        (_AT_LEAST, 0, 1, _X32_BIT),
        _refuse(errno.ENOSYS),
    ]
    for numbers in _REFUSED.values():
        if (number := numbers[column]) is not None:
            program += [(_EQUAL, 0, 1, number), _refuse(refusal)]
    # clone3 passes its flags by pointer, which a filter can't read. Without it, libc uses clone.
    program += [(_EQUAL, 0, 1, _CLONE3[column]), _refuse(errno.ENOSYS)]
    program += [
        (_EQUAL, 0, 4, _CLONE[column]),
        (_LOAD, 0, 0, _OFFSET_ARGUMENT),
        (_ANY_BIT, 0, 1, _NEW_NAMESPACE),
        _refuse(refusal),
        (_RETURN, 0, 0, _ALLOW),
    ]
    # A candidate must die with its parent, so PR_SET_PDEATHSIG does nothing but reports success.
    program += [
        (_EQUAL, 0, 4, _PRCTL[column]),
        (_LOAD, 0, 0, _OFFSET_ARGUMENT),
        (_EQUAL, 0, 1, PR_SET_PDEATHSIG),
        _refuse(0),
        (_RETURN, 0, 0, _ALLOW),
    ]
    # The kernel doesn't tell how much sockets hold, so their buffers must keep the default size.
    # A request for another size does nothing but reports success: such a size is a hint anyway.
    program += [
        (_EQUAL, 0, 7, _SETSOCKOPT[column]),
        (_LOAD, 0, 0, _OFFSET_SECOND_ARGUMENT),
        (_EQUAL, 0, 4, socket.SOL_SOCKET),
        (_LOAD, 0, 0, _OFFSET_THIRD_ARGUMENT),
        (_EQUAL, 1, 0, socket.SO_SNDBUF),
        (_EQUAL, 0, 1, socket.SO_RCVBUF),
        _refuse(0),
        (_RETURN, 0, 0, _ALLOW),
    ]
    # Nothing counts the pages of shared memory without a file once no page table maps them.
    program += [
        (_EQUAL, 0, 5, _MMAP[column]),
        (_LOAD, 0, 0, _OFFSET_FOURTH_ARGUMENT),
        (_ANY_BIT, 0, 2, _MAP_ANONYMOUS),
        (_ANY_BIT, 0, 1, _MAP_SHARED),
        _refuse(refusal),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return program + _socket_rules(column, refusal)


def _socket_rules(column: int, refusal: int) -> list[_Instruction]:
    """Allow every remaining call but one that makes a socket of a refused family or protocol."""
    families, protocols = len(_SOCKET_FAMILIES), len(_PROTOCOLS)
    rules: list[_Instruction] = [
        (_EQUAL, 0, families + protocols + 7, _SOCKET[column]),
        (_LOAD, 0, 0, _OFFSET_ARGUMENT),
    ]
    for index, family in enumerate(_SOCKET_FAMILIES):
        rules.append((_EQUAL, families - index + 3, 0, family))
    rules += [
        (
            _EQUAL,
            0,
            2,
            socket.AF_NETLINK,
        ),  # NETLINK_ROUTE only: it lists interfaces
        (_LOAD, 0, 0, _OFFSET_THIRD_ARGUMENT),
        (_EQUAL, protocols + 3, 0, 0),
        _refuse(errno.EAFNOSUPPORT if refusal == errno.EPERM else refusal),
        (_LOAD, 0, 0, _OFFSET_THIRD_ARGUMENT),
    ]
    for index, protocol in enumerate(_PROTOCOLS):
        rules.append((_EQUAL, protocols - index, 0, protocol))
    rules += [
        _refuse(errno.EPROTONOSUPPORT if refusal == errno.EPERM else refusal),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return rules


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def refused_calls(machine: str) -> dict[str, int]:
    """The numbers of the calls that are refused with any arguments."""
    column = list(_AUDIT_ARCH).index(machine)
    return {name: n for name, numbers in _REFUSED.items() if (n := numbers[column]) is not None}


def restrict_system_calls(refusal: int = errno.EPERM) -> None:
    """Refuse these system calls to this process and its children, without a way back.

    PR_SET_NO_NEW_PRIVS has to be set before.

    Args:
        refusal: the error of a refused call. A test passes an error that the kernel never gives
            by itself, to tell the filter's refusals from the kernel's.
    """
    steps = _program(platform.machine(), refusal)
    code = b"".join(struct.pack("HBBI", *step) for step in steps)
    argument = _Program(len(code) // 8, code)
    prctl(PR_SET_SECCOMP, 2, ctypes.addressof(argument))
