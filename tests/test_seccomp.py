"""Every system call that candidates may not make, by its number, and that the filter refuses it.

Many of these calls would fail anyway, for want of a right or for an argument. So they are tried
under a filter that refuses with an error which no system call gives by itself, and then in a real
candidate.
"""

import errno
import platform

import pytest

from autograder.sandbox.launch import WarmProcess
from autograder.sandbox.seccomp import refused_calls
from tests.test_sandbox_attacks import ask

pytestmark = [
    pytest.mark.skipif(platform.machine() != "x86_64", reason="numbers of another architecture"),
    pytest.mark.usefixtures("isolation"),
    pytest.mark.timeout(60),
]
# As in the kernel's arch/x86/entry/syscalls/syscall_64.tbl: not taken from what is tested.
REFUSED = {
    "ptrace": 101,
    "process_vm_readv": 310,
    "process_vm_writev": 311,
    "pidfd_getfd": 438,
    "kcmp": 312,
    "process_madvise": 440,
    "process_mrelease": 448,
    "migrate_pages": 256,
    "move_pages": 279,
    "unshare": 272,
    "setns": 308,
    "mount": 165,
    "umount2": 166,
    "pivot_root": 155,
    "chroot": 161,
    "open_tree": 428,
    "move_mount": 429,
    "fsopen": 430,
    "fsconfig": 431,
    "fsmount": 432,
    "fspick": 433,
    "mount_setattr": 442,
    "statmount": 457,
    "listmount": 458,
    "open_tree_attr": 467,
    "listns": 470,
    "name_to_handle_at": 303,
    "open_by_handle_at": 304,
    "file_getattr": 468,
    "file_setattr": 469,
    "vhangup": 153,
    "memfd_create": 319,
    "memfd_secret": 447,
    "shmget": 29,
    "semget": 64,
    "msgget": 68,
    "mq_open": 240,
    "vmsplice": 278,
    "remap_file_pages": 216,
    "io_setup": 206,
    "io_destroy": 207,
    "io_submit": 209,
    "io_cancel": 210,
    "io_getevents": 208,
    "io_pgetevents": 333,
    "inotify_init": 253,
    "inotify_init1": 294,
    "inotify_add_watch": 254,
    "inotify_rm_watch": 255,
    "fanotify_init": 300,
    "fanotify_mark": 301,
    "bpf": 321,
    "perf_event_open": 298,
    "userfaultfd": 323,
    "io_uring_setup": 425,
    "io_uring_enter": 426,
    "io_uring_register": 427,
    "keyctl": 250,
    "add_key": 248,
    "request_key": 249,
    "seccomp": 317,
    "landlock_create_ruleset": 444,
    "landlock_add_rule": 445,
    "landlock_restrict_self": 446,
    "lsm_get_self_attr": 459,
    "lsm_set_self_attr": 460,
    "lsm_list_modules": 461,
    "map_shadow_stack": 453,
    "lookup_dcookie": 212,
    "nfsservctl": 180,
    "uselib": 134,
    "ustat": 136,
    "sysfs": 139,
    "_sysctl": 156,
    "iopl": 172,
    "ioperm": 173,
    "personality": 135,
    "modify_ldt": 154,
    "syslog": 103,
    "acct": 163,
    "swapon": 167,
    "swapoff": 168,
    "reboot": 169,
    "sethostname": 170,
    "setdomainname": 171,
    "settimeofday": 164,
    "clock_settime": 227,
    "adjtimex": 159,
    "clock_adjtime": 305,
    "quotactl": 179,
    "quotactl_fd": 443,
    "kexec_load": 246,
    "kexec_file_load": 320,
    "init_module": 175,
    "finit_module": 313,
    "delete_module": 176,
    "create_module": 174,
    "query_module": 178,
    "get_kernel_syms": 177,
}
BY_ARGUMENTS = {  # name: (number, arguments, error in a candidate)
    "clone of a user namespace": (56, [0x1000_0000 | 17, 0, 0, 0, 0], errno.EPERM),
    "clone of a mount namespace": (56, [0x2_0000 | 17, 0, 0, 0, 0], errno.EPERM),
    "clone of a pid namespace": (56, [0x2000_0000 | 17, 0, 0, 0, 0], errno.EPERM),
    "clone of a network namespace": (56, [0x4000_0000 | 17, 0, 0, 0, 0], errno.EPERM),
    "MPTCP": (41, [2, 1, 262], errno.EPROTONOSUPPORT),
    "MPTCP over IPv6": (41, [10, 1, 262], errno.EPROTONOSUPPORT),
    "UDP-Lite": (41, [2, 2, 136], errno.EPROTONOSUPPORT),
    "UDP-Lite over IPv6": (41, [10, 2, 136], errno.EPROTONOSUPPORT),
    "SCTP": (41, [2, 1, 132], errno.EPROTONOSUPPORT),
    "ping": (41, [2, 2, 1], errno.EPROTONOSUPPORT),
    "packets": (41, [17, 3, 0], errno.EAFNOSUPPORT),
    "virtual machines' sockets": (41, [40, 1, 0], errno.EAFNOSUPPORT),
    "cryptography's sockets": (41, [38, 5, 0], errno.EAFNOSUPPORT),
    "netfilter's sockets": (41, [16, 3, 12], errno.EAFNOSUPPORT),
    "shared memory without a file": (9, [0, 4096, 3, 0x21, -1, 0], errno.EPERM),
    "the same, validated": (9, [0, 4096, 3, 0x23, -1, 0], errno.EPERM),
}
ALLOWED = {
    "TCP": (41, [2, 1, 6]),
    "UDP": (41, [2, 2, 17]),
    "TCP over IPv6": (41, [10, 1, 0]),
    "local": (41, [1, 1, 0]),
    "interfaces": (41, [16, 3, 0]),
    "private memory": (9, [0, 4096, 3, 0x22, -1, 0]),
    "process id": (39, []),
    "epoll": (291, [0]),
    "eventfd": (290, [0, 0]),
    "pidfd": (434, [1, 0]),
}
HARMLESS = [-1] * 6  # should a call not be refused, this fails in it
TRY = """
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    def attempt(number, arguments):
        ctypes.set_errno(0)
        result = libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments))
        return ctypes.get_errno() if result == -1 else 0
    answer = {name: attempt(*call) for name, call in CALLS.items()}
"""
UNDER_A_FILTER = """
    from autograder.sandbox.linux import prctl, PR_SET_NO_NEW_PRIVS
    from autograder.sandbox.seccomp import restrict_system_calls
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    restrict_system_calls(refusal=ERROR)
"""
OURS = 133  # EHWPOISON


@pytest.fixture(scope="module")
def warm():
    with WarmProcess(["tests.sandbox_probe"]) as process:
        yield process


def attempts(warm, calls, *, refusal=None, isolated=False):
    code = TRY.replace("CALLS", repr(calls))
    if refusal is not None:
        code = UNDER_A_FILTER.replace("ERROR", str(refusal)) + code
    return ask(warm, code, isolated=isolated)


def test_the_list_is_the_kernel_s_numbers():
    assert refused_calls("x86_64") == REFUSED


def test_each_refusal_is_the_filter_s_own(warm):
    calls = {name: (number, HARMLESS) for name, number in REFUSED.items()}
    calls |= {name: call[:2] for name, call in BY_ARGUMENTS.items()}
    found = attempts(warm, calls, refusal=OURS)
    assert {name: error for name, error in found.items() if error != OURS} == {}
    assert len(found) == len(REFUSED) + len(BY_ARGUMENTS)


def test_a_candidate_is_refused_each(warm):
    calls = {name: (number, HARMLESS) for name, number in REFUSED.items()}
    calls |= {name: call[:2] for name, call in BY_ARGUMENTS.items()}
    wanted = dict.fromkeys(REFUSED, errno.EPERM)
    wanted |= {name: call[2] for name, call in BY_ARGUMENTS.items()}
    assert attempts(warm, calls, isolated=True) == wanted


def test_without_the_filter_no_call_gives_that_error(warm):
    calls = {name: call[:2] for name, call in BY_ARGUMENTS.items() if call[0] != 56}
    calls |= {name: (REFUSED[name], HARMLESS) for name in ("bpf", "io_uring_setup", "io_setup")}
    assert OURS not in attempts(warm, calls).values()


def test_clone3_is_as_if_the_kernel_had_none(warm):
    call = {"clone3": (435, HARMLESS)}
    assert attempts(warm, call, isolated=True) == {"clone3": errno.ENOSYS}
    assert attempts(warm, call)["clone3"] != errno.ENOSYS  # the kernel has it


def test_numbers_of_the_x32_architecture_are_refused(warm):
    call = {"getpid": (0x4000_0000 | 39, [])}
    assert attempts(warm, call, isolated=True) == {"getpid": errno.ENOSYS}


@pytest.mark.parametrize("refusal", [errno.EPERM, OURS])
def test_what_a_notebook_needs_is_allowed(warm, refusal):
    found = attempts(warm, ALLOWED, refusal=refusal)
    assert found == dict.fromkeys(ALLOWED, 0)
    assert attempts(warm, ALLOWED, isolated=True) == found


@pytest.mark.parametrize("buffer", ["SO_SNDBUF", "SO_RCVBUF"])
def test_a_candidate_s_sockets_keep_their_size(warm, buffer):
    """What sockets hold is in no account of memory; asking for more succeeds and does nothing."""
    code = f"""
        import socket
        with socket.socket() as one:
            size = lambda: one.getsockopt(socket.SOL_SOCKET, socket.{buffer})
            before = size()
            one.setsockopt(socket.SOL_SOCKET, socket.{buffer}, before // 4)
            answer = (before, size())
    """
    before, after = ask(warm, code, isolated=True)
    assert before == after
    before, after = ask(warm, code, isolated=False)
    assert before != after
