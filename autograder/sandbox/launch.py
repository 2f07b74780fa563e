"""Starts processes for student code, forked from a warm process, isolated and bounded.

with WarmProcess(["torch"]) as warm, warm.launch("package.module:function") as process:
    process.wait()
"""

from __future__ import annotations

import functools
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from autograder.sandbox.limits import Limits
from autograder.sandbox.process import FORK_SECONDS, LaunchError, Process, tail
from autograder.sandbox.remedy import isolation_remedy
from autograder.sandbox.scratch import Scratch
from autograder.sandbox.view import View
from autograder.sandbox.warm import ENVIRONMENT, receive, send

START_SECONDS = 120.0  # importing torch on a busy machine takes 20 s
DEFAULT_VIEW = View()
DEFAULT_LIMITS = Limits()

# The warm process gets neither our environment nor our arguments, because its children see both.
_BOOT = (
    "import json, os, sys; sys.path[:] = json.loads(os.read(0, 65536)); "
    "from autograder.sandbox.warm import main; main()"
)
_WARM_ENVIRONMENT = ENVIRONMENT | {
    "OPENBLAS_NUM_THREADS": "1",
    "PYTORCH_NVML_BASED_CUDA_CHECK": "1",  # ask for a GPU without starting the driver
}


class WarmProcess:
    """A process that has imported `modules` once and is forked for each launch.

    It starts at once, and takes seconds for its imports. The first launch waits for it, and so does
    `await_ready`; until then the caller may do something else.

    Args:
        modules: what to import. Not what a candidate mustn't see: memory is inherited.
        view: what isolated processes see of the file system; None if none will be isolated.
        optional: what to import if it is installed.
    """

    def __init__(
        self,
        modules: Sequence[str] = (),
        view: View | None = DEFAULT_VIEW,
        optional: Sequence[str] = (),
    ) -> None:
        self._view = view
        self._lock = threading.Lock()
        self._ready = False
        self._scratch = Scratch()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._log = os.memfd_create("warm log")
        self._process: subprocess.Popen[bytes] | None = None
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-c", _BOOT],
                    stdin=theirs.fileno(),
                    stdout=self._log,
                    stderr=self._log,
                    env=_WARM_ENVIRONMENT,
                    cwd="/",
                    start_new_session=True,  # an interrupt at the keyboard is for the launcher
                )
            except OSError as error:
                os.write(self._log, str(error).encode())
        root = self.scratch / "view"
        root.mkdir()
        start = {
            "modules": list(modules),
            "optional": list(optional),
            "root": str(root) if view else None,
            "view": asdict(view) if view else None,
            "hide": list(view.hidden) if view else [],
            "environment": {"HOME": os.environ.get("HOME", "/")},  # for caches of fonts and such
        }
        path = [entry for entry in sys.path if Path(entry).is_absolute()]
        with suppress(OSError):  # the process has ended: `await_ready` says why
            self._control.send(json.dumps(path).encode())
            send(self._control, start)

    def await_ready(self) -> None:
        """Wait until the imports are done.

        Raises:
            LaunchError: a module can't be imported, or the machine forbids isolation.
        """
        with self._lock:
            if not self._ready:
                self._hear()
                self._ready = True

    def _hear(self) -> None:
        self._control.settimeout(START_SECONDS)
        try:
            reply, _ = receive(self._control)
        except OSError as error:
            reply = {"error": tail(self._log) or f"no answer ({error})"}
        self._control.settimeout(None)
        if "ready" in reply:
            return
        problem = reply.get("error") or tail(self._log) or "it ended at once"
        if reply.get("isolation"):
            raise LaunchError(f"This machine forbids isolation: {problem}.", isolation_remedy())
        raise LaunchError(
            f"The warm process didn't start: {problem}",
            "check that every module of the assignment is installed: autograder doctor",
        )

    def launch(
        self,
        target: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        fds: Sequence[int] = (),
        isolated: bool = True,
        folder: Path | None = None,
        limits: Limits = DEFAULT_LIMITS,
        environment: Mapping[str, str] | None = None,
    ) -> Process:
        """Fork a process that calls `target(*fds, **arguments)` and ends.

        Args:
            target: "package.module:function". The module is imported before isolation.
            arguments: plain data, as JSON has it.
            fds: file descriptors to pass; the function gets its own copies' numbers.
            isolated: shut off from the machine, in a private copy of `folder`; else only a
                process of its own, with its limits, in `folder` itself.
            folder: the student's files.
            limits: what the process and all that it starts may use.
            environment: variables beside the few that every launched process has.

        Raises:
            LaunchError: the process could not be started.
        """
        if isolated and not self._view:
            raise LaunchError(
                f"{target} was to be isolated, but its warm process has no view.",
                "start the WarmProcess with a View",
            )
        request = {
            "target": target,
            "arguments": dict(arguments or {}),
            "folder": str(folder.resolve()) if folder else None,
            "limits": asdict(limits),
            "environment": dict(environment or {}),
        }
        self.await_ready()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        payload, log = os.memfd_create("request"), os.memfd_create("log")
        with os.fdopen(payload, "wb") as file, theirs:
            file.write(json.dumps(request).encode())
            file.seek(0)
            try:
                with self._lock:
                    passed = (theirs.fileno(), payload, log, *fds)
                    send(self._control, {"isolated": isolated}, *passed)
            except OSError as error:
                ours.close()
                os.close(log)
                raise LaunchError(
                    f"{target} could not be launched: its warm process has ended ({error}).",
                    "start a new WarmProcess",
                ) from error
        return Process(target, ours, log, limits, isolated)

    def close(self) -> None:
        """End the warm process, and with it every process launched from it."""
        self._control.close()
        if self._process is not None:
            if not self._ready:  # nobody waits for its imports any more
                self._process.kill()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        with suppress(OSError):
            os.close(self._log)
        self._scratch.close()

    @property
    def scratch(self) -> Path:
        """A folder for what belongs to one launch; it is gone when the warm process is closed."""
        return self._scratch.path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@functools.cache
def isolation_problem() -> str | None:
    """Why this machine can't isolate a process, with the remedy; None if it can (it was tried)."""
    try:
        with WarmProcess() as warm, warm.launch("os:getpid") as process:
            process.wait(FORK_SECONDS)
    except LaunchError as error:
        return f"{error.problem}\n  → {isolation_remedy()}"
    return None
