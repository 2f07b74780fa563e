"""The warm process: imports modules once, then forks a process for each request.

`launch.WarmProcess` starts it with one end of a socket as standard input. The process ends when the
other end closes. It has one thread, no event loop and no CUDA, because further threads, an event
loop and CUDA don't survive a fork. It holds no secret, because its children inherit its memory.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from autograder.sandbox import sharing, withheld
from autograder.sandbox.isolate import (
    IsolationError,
    die_with,
    enter,
    gain_privileges,
    new_pid_namespace,
)
from autograder.sandbox.limits import Limits, apply_limits, resident_memory
from autograder.sandbox.linux import collapse_memory
from autograder.sandbox.view import FOLDER, HOME, View, build_view, gpus, remove_view

ENVIRONMENT = {
    "HOME": str(HOME),
    "LANG": "C.UTF-8",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "OMP_NUM_THREADS": "1",
    "PATH": f"{sys.prefix}/bin:/usr/local/bin:/usr/bin:/bin",
    "USER": "student",
}
# Huge pages save about 15 ms in each fork and cost half a second once, so a few forks do without.
FORKS_BEFORE_COLLAPSE = 8
MESSAGE_BYTES = 1 << 16
MAX_DESCRIPTORS = 32


def receive(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """One message and the file descriptors that came with it; ({}, []) at the end of the socket."""
    data, fds, _, _ = socket.recv_fds(connection, MESSAGE_BYTES, MAX_DESCRIPTORS)
    return (json.loads(data) if data else {}), fds


def send(connection: socket.socket, message: dict[str, Any], *fds: int) -> None:
    """Send one message; the other side gets copies of `fds`."""
    socket.send_fds(connection, [json.dumps(message).encode()], fds)


@dataclass
class _Child:
    pid: int
    launcher: socket.socket


@dataclass(frozen=True)
class _Warm:
    """What every request needs: the view's root, and `itself`, a pidfd of the warm process."""

    root: Path | None
    hide: list[str]
    itself: int


def main() -> None:
    """Serve requests from the socket on descriptor 0 until it closes."""
    control = socket.socket(fileno=os.dup(0))
    _redirect(os.open("/dev/null", os.O_RDWR), 0)
    start, _ = receive(control)
    os.environ.update(start["environment"])
    os.umask(0o022)  # candidates are other users and must read these files
    root = Path(start["root"]) if start["root"] else None
    try:
        if root:
            gain_privileges()
            view = View(**start["view"])
            build_view(root, view)
            withheld.withhold(start["hide"], view.packages, root)
        _import(start["modules"], start["optional"])
        send(control, {"ready": True})
        _serve(control, _Warm(root, start["hide"], os.pidfd_open(os.getpid())))
    except Exception as error:
        last = "".join(traceback.format_exception_only(error)).strip()
        send(control, {"error": last, "isolation": isinstance(error, IsolationError)})
    finally:
        if root:
            remove_view(root)


def _redirect(source: int, *targets: int) -> None:
    for target in targets:
        os.dup2(source, target)
    if source > 2:
        os.close(source)


def _import(modules: list[str], optional: list[str]) -> None:
    for name in modules:
        module = importlib.import_module(name)
        if prepare := vars(module).get("before_fork"):  # a withheld module answers getattr
            prepare()
    for name in optional:
        with contextlib.suppress(ImportError):  # a cell that imports it says so, as in any kernel
            importlib.import_module(name)
    sys.modules.pop("rfc3987_syntax", None)  # kept out by autograder/__init__.py: students have it
    if "numpy" in sys.modules:
        importlib.import_module("numpy.random")  # NumPy imports it late; each child seeds it
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)  # a thread pool doesn't survive a fork: the child would hang
    gc.collect()
    gc.freeze()  # else a collection in a child would write to, and so copy, every page


def _serve(control: socket.socket, warm: _Warm) -> None:
    children: dict[int, _Child] = {}
    forks = 0
    collapsed = False
    while True:
        if forks >= FORKS_BEFORE_COLLAPSE and not children and not collapsed:
            collapse_memory()  # now, because pages that a child shares stay as they are
            collapsed = True
        ready, _, _ = select.select([control.fileno(), *children], [], [])
        for ready_fd in ready:
            if ready_fd in children:
                _report_end(children.pop(ready_fd), ready_fd)
                continue
            request, fds = receive(control)
            if not request:
                return
            if child := _fork(request["isolated"], fds, warm):
                pidfd = os.pidfd_open(child.pid)
                children[pidfd] = child
                forks += 1
                _tell(child.launcher, {"forked": True}, pidfd)


def _tell(launcher: socket.socket, message: dict[str, Any], *fds: int) -> None:
    with contextlib.suppress(OSError):  # the launcher may have ended or closed its socket
        send(launcher, message, *fds)


def _report_end(child: _Child, pidfd: int) -> None:
    os.close(pidfd)
    with contextlib.suppress(OSError):  # not reaped yet, so the number is still its own
        os.killpg(child.pid, signal.SIGKILL)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = usage.ru_utime + usage.ru_stime
    _tell(child.launcher, {"exit": os.waitstatus_to_exitcode(status), "cpu_seconds": seconds})
    child.launcher.close()


def _fork(isolated: bool, fds: list[int], warm: _Warm) -> _Child | None:
    launcher = socket.socket(fileno=fds[0])
    try:
        with new_pid_namespace() if isolated else contextlib.nullcontext():
            pid = os.fork()
            if pid == 0:
                _run(isolated, launcher, fds[1:], warm)
    except OSError as error:
        _tell(launcher, {"error": f"fork: {error}"})
        launcher.close()
        return None
    finally:
        for fd in fds[1:]:
            os.close(fd)
    return _Child(pid, launcher)


def _run(isolated: bool, launcher: socket.socket, fds: list[int], warm: _Warm) -> NoReturn:
    """Run the forked child from its start to its end."""
    code = 1
    try:
        target, arguments = _prepare(isolated, launcher, fds, warm)
        target(*fds[2:], **arguments)
        code = 0
    except SystemExit as exit_:
        code = exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
    finally:
        with contextlib.suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _prepare(
    isolated: bool, launcher: socket.socket, fds: list[int], warm: _Warm
) -> tuple[Callable[..., Any], dict[str, Any]]:
    try:
        with os.fdopen(fds[0], "rb") as file:
            request = json.load(file)
        if warm.hide and not isolated:
            withheld.restore(warm.hide)
        module, _, name = request["target"].partition(":")
        target = getattr(importlib.import_module(module), name)
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _redirect(fds[1], 1, 2)
        folder = Path(request["folder"]) if request["folder"] else None
        limits = Limits(**request["limits"])
        handle = [_shut_off(folder, limits, warm)] if isolated else []
        if not isolated:
            apply_limits(limits, isolated=False)
            die_with(warm.itself)
            os.chdir(folder or "/")
        os.environ.update(request["environment"])
        _close_all_but({launcher.fileno(), *handle, *fds[2:]})
        _reseed()
        # Measured before the target runs, so that the target's own memory can't raise its bound.
        send(launcher, {"ready": True, "memory": resident_memory(os.getpid())}, *handle)
        launcher.close()
        for fd in handle:
            os.close(fd)
    except BaseException as error:
        last = "".join(traceback.format_exception_only(error)).strip()
        _tell(launcher, {"error": last})
        raise
    return target, request["arguments"]


def _shut_off(folder: Path | None, limits: Limits, warm: _Warm) -> int:
    assert warm.root, "the launcher asks for isolation of a process that has a view only"
    handle = enter(warm.root, folder, limits, parent=warm.itself)
    os.environ.clear()
    os.environ.update(ENVIRONMENT)
    os.chdir(FOLDER)
    sys.path.append("")  # a submission's modules come after every library
    importlib.invalidate_caches()
    if warm.hide:
        withheld.forget(warm.hide)
    sharing.back_by_files()
    return handle


def _close_all_but(kept: set[int]) -> None:
    low = 3
    for fd in sorted(kept):
        os.closerange(low, fd)
        low = fd + 1
    os.closerange(low, os.sysconf("SC_OPEN_MAX"))


def _reseed() -> None:
    """Seed NumPy's and torch's generators, which a fork copies; Python seeds its own."""
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()
    if torch := sys.modules.get("torch"):
        # torch.seed() also notes a traceback for the GPUs' generators, which takes 4 ms.
        (torch.seed if gpus() else torch.default_generator.seed)()
