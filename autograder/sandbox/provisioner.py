"""The warm kernel as Jupyter sees it: a kernelspec, and the provisioner that it names.

Whatever starts kernels through Jupyter (nbclient, nbgrader, JupyterLab) then gets an ipykernel
that is forked from a warm process of its own and isolated. It works in a private copy of the
notebook's folder: files that it writes are gone when it ends.

    python -m autograder.sandbox.provisioner [MODULE …]    install the kernelspec
"""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import select
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.provisioning import LocalProvisioner
from traitlets import Dict, List, Unicode

from autograder.sandbox import kernel
from autograder.sandbox.launch import FORK_SECONDS, LaunchError, Process, WarmProcess
from autograder.sandbox.limits import Limits

KERNEL_NAME = "warm-python3"
PROVISIONER_NAME = "warm-provisioner"  # as in pyproject.toml's entry points
_PASSED_ON = ("JPY_SESSION_NAME", "NBGRADER_EXECUTION", "NBGRADER_VALIDATING")
_DAY = 86_400

_warm_processes: dict[tuple[str, ...], WarmProcess] = {}


class WarmProvisioner(LocalProvisioner):
    """Starts kernels by forking; one warm process a set of modules serves them all."""

    modules = List(Unicode(), help="What the kernels have imported when they start.").tag(
        config=True
    )
    limits = Dict(help="Bounds of a kernel, by the names of autograder.sandbox.limits.Limits.").tag(
        config=True
    )

    _sockets: int | None = None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Have the client look for the sockets in the candidate's private folder.

        It is reached through a descriptor of ours. A restarted kernel has another folder, but
        the descriptor's number stays.
        """
        if self._sockets is None:
            self._sockets = os.open("/", os.O_PATH)
        manager: Any = self.parent
        manager.transport, manager.cache_ports = "ipc", False
        manager.ip = f"/proc/{os.getpid()}/fd/{self._sockets}/{kernel.SOCKETS}/s"
        return await super().pre_launch(**kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork a kernel; its sockets are there when this returns."""
        loop = asyncio.get_running_loop()
        folder = Path(kwargs.get("cwd") or Path.cwd())
        process = await loop.run_in_executor(None, self._launch, folder, kwargs.get("env") or {})
        assert process.folder is not None
        assert self._sockets is not None
        os.dup2(process.folder, self._sockets)
        self.process = cast(Any, _Popen(process))
        self.pid, self.cwd = process.pid, str(folder)
        return self.connection_info

    def _launch(self, folder: Path, environment: dict[str, str]) -> Process:
        described = {key: _text(value) for key, value in self.connection_info.items()}
        limits = {"wall_seconds": float("inf"), "cpu_seconds": _DAY, **self.limits}
        read, write = os.pipe()
        try:
            process = _warm_process(tuple(self.modules)).launch(
                "autograder.sandbox.kernel:main",
                {"connection": described},
                fds=[write],
                folder=folder,
                limits=Limits(**limits),
                environment={key: environment[key] for key in _PASSED_ON if key in environment},
            )
        finally:
            os.close(write)
        ready = select.select([read], [], [], FORK_SECONDS)[0] and os.read(read, 1)
        os.close(read)
        if not ready:
            problem = process.log() or "it didn't open its sockets"
            process.close()
            raise LaunchError(f"The kernel didn't start: {problem}", "see: autograder doctor")
        return process

    async def cleanup(self, restart: bool = False) -> None:
        """Let go of the process, and of its folder unless another kernel follows."""
        await super().cleanup(restart)
        if self._sockets is not None and not restart:
            os.close(self._sockets)
            self._sockets = None


class _Popen:
    """A `Process` with the methods that LocalProvisioner calls on a subprocess.Popen."""

    stdin = stdout = stderr = None

    def __init__(self, process: Process) -> None:
        self.pid = process.pid
        self.poll = process.poll
        self._process = process

    def wait(self) -> int:
        """Wait for the end, then let go of the process."""
        code = self._process.wait()
        self._process.close()
        return code

    def send_signal(self, number: int) -> None:
        """Interrupt, or else kill: other signals don't reach process 1 of a pid namespace."""
        if number == signal.SIGINT:
            self._process.interrupt()
        else:
            self._process.kill()

    def kill(self) -> None:
        """Kill the kernel and all that it started."""
        self._process.kill()

    terminate = kill


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def _warm_process(modules: tuple[str, ...]) -> WarmProcess:
    if modules not in _warm_processes:
        _warm_processes[modules] = WarmProcess([*modules, *kernel.MODULES])
        atexit.register(_warm_processes[modules].close)
    return _warm_processes[modules]


def install_kernelspec(modules: Sequence[str] = (), prefix: str = sys.prefix) -> Path:
    """Install the kernelspec below `prefix`; return its folder.

    Args:
        modules: what its kernels have imported when they start.
        prefix: where Jupyter looks, as a virtual environment.
    """
    spec = {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Python 3 (warm, isolated)",
        "language": "python",
        "metadata": {
            "kernel_provisioner": {
                "provisioner_name": PROVISIONER_NAME,
                "config": {"modules": list(modules)},
            }
        },
    }
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "kernel.json").write_text(json.dumps(spec, indent=1))
        installed = KernelSpecManager().install_kernel_spec(folder, KERNEL_NAME, prefix=prefix)
    return Path(installed)


if __name__ == "__main__":
    print(install_kernelspec(sys.argv[1:]))
