"""Runs notebook cells in this process, with the outputs that a Jupyter kernel would give.

ipykernel's own shell runs a cell, and nbclient's own rules turn its messages into outputs. Both are
in one process, without sockets and without a server's event loop, so that a cell costs a few
milliseconds. Create one `Shell` in a process, after the fork; `before_fork` makes that fast.
"""

from __future__ import annotations

import asyncio
import builtins
import getpass
import importlib
import json
import logging
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import comm
from comm.base_comm import BaseComm, CommManager
from ipykernel.compiler import XCachingCompiler
from ipykernel.displayhook import ZMQShellDisplayHook
from ipykernel.jsonutil import json_clean
from ipykernel.kernelbase import Kernel
from ipykernel.zmqshell import ZMQDisplayPublisher, ZMQInteractiveShell
from IPython.core.error import UsageError
from nbclient import NotebookClient
from nbformat import NotebookNode, v4
from traitlets import Any as AnyTrait
from traitlets import Type
from traitlets.config import Config

from autograder.sandbox.streams import Stream

INLINE_BACKEND = "module://matplotlib_inline.backend_inline"
# Modules that a shell imports when it is created or first needs them; `before_fork` imports them.
# matplotlib_inline.backend_inline must not be among them, because it looks for its shell when it is
# imported.
_NEEDED_LATER = (
    "IPython.core.application",
    "IPython.core.completer",
    "IPython.core.completerlib",
    "IPython.core.crashhandler",
    "IPython.core.logger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "bdb",
    "executing",
    "pexpect",
    "pygments.formatters.terminal256",
    "pygments.lexers.python",
    "pygments.styles.default",
    "stack_data",
)
MAX_OUTPUT_BYTES = 8 << 20  # of one cell; a notice replaces the rest

# The first notebook compiles nbformat's schema, which takes 50 ms: do this before the fork.
_EMPTY_NOTEBOOK = v4.new_notebook()


class Shell:
    """An IPython shell that returns the outputs of cells as nbformat version 4 dictionaries.

    The shell takes over `sys.stdout`, `sys.stderr`, file descriptors 1 and 2, the comm package and
    `input` of this process.

    Args:
        max_output_bytes: how much output of one cell is kept; the rest is dropped.
    """

    def __init__(self, max_output_bytes: int = MAX_OUTPUT_BYTES) -> None:
        os.environ.setdefault("MPLBACKEND", INLINE_BACKEND)
        self._publisher = _Publisher(max_output_bytes)
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        self._streams = (
            Stream(self._publisher, "stdout", fd=1),
            Stream(self._publisher, "stderr", fd=2),
        )
        sys.stdout, sys.stderr = self._streams
        _connect_comms(self._publisher)
        self._ipython = _start_ipython(self._publisher)

    @property
    def user_ns(self) -> dict[str, Any]:
        """The namespace that the cells share."""
        namespace: dict[str, Any] = self._ipython.user_ns
        return namespace

    @property
    def outputs(self) -> list[list[dict[str, Any]]]:
        """The outputs of every cell so far, with the updates that later cells made to displays."""
        return [_merge_streams(cell.outputs) for cell in self._publisher.cells]

    def run_cell(self, source: str) -> list[dict[str, Any]]:
        """Run one cell; return its outputs, with the traceback if the cell raises an error.

        Top-level `await`, magics and `!` commands work as in a notebook. The `execution_count` of
        an `execute_result` counts this shell's cells without blank cells.
        """
        self._ipython.set_parent(self._publisher.begin_cell())
        with _no_stdin(self._ipython.kernel):
            self._loop.run_until_complete(self._run(source))
        for stream in self._streams:
            stream.flush()
        return _merge_streams(self._publisher.end_cell())

    async def _run(self, source: str) -> None:
        # As in ipykernel, a cell with a top-level await is a task of the running loop. Any other
        # cell is a plain call while the loop runs, so asyncio.run() in it fails as in ipykernel.
        shell = self._ipython
        error = None
        try:
            transformed = shell.transform_cell(source)
        except Exception:
            transformed, error = source, sys.exc_info()
        options = {"transformed_cell": transformed, "preprocessing_exc_tuple": error}
        if not source.strip():
            return
        if not shell.should_run_async(source, **options):
            shell.run_cell(source, store_history=True)
            return
        task = asyncio.ensure_future(shell.run_cell_async(source, store_history=True, **options))
        result = None
        with self._interrupt_cancels(task):
            try:
                result = await task
            finally:
                shell.events.trigger("post_execute")
                shell.events.trigger("post_run_cell", result)

    @contextmanager
    def _interrupt_cancels(self, task: asyncio.Task[Any]) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        cancel = partial(self._loop.call_soon_threadsafe, task.cancel)
        previous = signal.signal(signal.SIGINT, lambda *_: cancel())
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, previous)


def before_fork() -> None:
    """Make IPython's shell in the warm process: half of the time of a candidate's start."""
    for name in _NEEDED_LATER:
        importlib.import_module(name)
    with tempfile.TemporaryDirectory() as folder:  # the real one is the child's
        _new_ipython(ipython_dir=folder)


def _new_ipython(**options: Any) -> Any:
    config = Config()
    config.HistoryManager.enabled = False  # the process ends soon: it needs no history
    shell: Any = _Shell.instance(
        config=config, compiler_class=XCachingCompiler, user_ns={}, **options
    )
    shell.displayhook.topic = b"execute_result"
    shell.extension_manager.load_extension("storemagic")
    return shell


def _start_ipython(publisher: _Publisher) -> Any:
    if _Shell.initialized():
        shell: Any = _Shell.instance()
        shell.init_ipython_dir(None)
        shell.init_profile_dir(None)
        shell.starting_dir = str(Path.cwd())
        shell.home_dir = shell.logger.home_dir = str(Path.home())
    else:
        shell = _new_ipython()
    shell.kernel = _Kernel(publisher)
    for sender in (shell.displayhook, shell.display_pub):
        sender.session, sender.pub_socket = publisher, publisher
    return shell


class _DisplayHook(ZMQShellDisplayHook):
    session = AnyTrait()  # a _Publisher; ipykernel's own class allows a Jupyter session only


class _DisplayPublisher(ZMQDisplayPublisher):
    session = AnyTrait()


class _Shell(ZMQInteractiveShell):
    """ipykernel's shell; `exit` and `quit` do nothing, so that the later cells still run."""

    displayhook_class = Type(_DisplayHook)
    display_pub_class = Type(_DisplayPublisher)

    def ask_exit(self) -> None:
        pass

    def enable_gui(self, gui: Any = None) -> None:
        if gui is not None:
            raise UsageError(f"No event loop of the {gui} toolkit here: use %matplotlib inline.")


# Libraries (tqdm, rich) recognise a notebook by the name of its shell's class.
_Shell.__name__, _Shell.__qualname__ = "ZMQInteractiveShell", "ZMQInteractiveShell"
_Shell.__module__ = ZMQInteractiveShell.__module__


class _Kernel:
    """The attributes that libraries read of `get_ipython().kernel`; input is not available."""

    eventloop = None
    _allow_stdin = False
    raw_input: Any = Kernel.raw_input
    getpass: Any = Kernel.getpass

    def __init__(self, publisher: _Publisher) -> None:
        self.session = publisher
        self.iopub_socket = publisher
        self.get_parent = publisher.parent
        self.comm_manager = comm.get_comm_manager()


class _Publisher:
    """Takes the place of a Jupyter session and socket, and turns messages into a cell's outputs."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes_left = 0
        self._running = ""
        self._lock = threading.RLock()
        self._replies: list[dict[str, Any]] = []
        silent = logging.Logger("nbclient")  # or its warnings would be a cell's output
        silent.addHandler(logging.NullHandler())
        client: Any = NotebookClient(_EMPTY_NOTEBOOK, log=silent)
        self._client = client
        self._client.kc = self  # an Output widget answers through kc.session and kc.shell_channel
        self.session = self
        self.shell_channel = self
        self.cells: list[NotebookNode] = self._client.nb.cells

    def begin_cell(self) -> dict[str, Any]:
        """Open the next cell; return the request that its messages name as their parent."""
        self.cells.append(v4.new_code_cell())
        self._client.clear_before_next_output = False
        self._bytes_left = self._max_bytes
        self._running = f"cell-{len(self.cells)}"
        return self.parent()

    def end_cell(self) -> list[NotebookNode]:
        """Close the running cell; later messages of its threads are dropped."""
        with self._lock:
            self._running = ""
            replies, self._replies = self._replies, []
        manager: Any = comm.get_comm_manager()
        for message in replies:
            manager.comm_msg(None, None, message)
        outputs: list[NotebookNode] = self.cells[-1].outputs
        return outputs

    def parent(self, *_: Any) -> dict[str, Any]:
        """The request that the running cell answers."""
        return {"header": {"msg_id": self._running, "msg_type": "execute_request"}}

    def msg(
        self,
        msg_type: str,
        content: dict[str, Any] | None = None,
        parent: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """A message in Jupyter's form; `parent` is a request or its header."""
        parent = parent or {}
        return {
            "header": {"msg_type": msg_type},
            "msg_type": msg_type,
            "parent_header": parent.get("header", parent),
            "metadata": metadata or {},
            "content": content or {},
            "buffers": [],
        }

    def send(
        self,
        socket_or_reply: Any,
        message: dict[str, Any] | str = "",
        content: dict[str, Any] | None = None,
        parent: dict[str, Any] | None = None,
        *,
        metadata: dict[str, Any] | None = None,
        buffers: list[Any] | None = None,
        ident: Any = None,
    ) -> None:
        """Publish a message; a single argument is an Output widget's answer to the kernel."""
        if isinstance(socket_or_reply, dict):
            self._replies.append(socket_or_reply)
            return
        if isinstance(message, str):
            message = self.msg(message, content, parent, metadata)
            message["buffers"] = buffers or []
        with self._lock:
            if not self._running or message["parent_header"].get("msg_id") != self._running:
                return  # from a thread or task of a cell that has ended
            if self._within_limit(message):
                self._client.process_message(message, self.cells[-1], len(self.cells) - 1)

    def _within_limit(self, message: dict[str, Any]) -> bool:
        """Whether to keep the message; add a notice when the limit is first exceeded."""
        if message["msg_type"] == "error":
            return True
        over_before = self._bytes_left < 0
        self._bytes_left -= _size(message["content"])
        if self._bytes_left < 0 and not over_before:
            text = f"\n[Output over {self._max_bytes:,} bytes: the rest of it is left out]\n"
            self.cells[-1].outputs.append(v4.new_output("stream", name="stderr", text=text))
        return self._bytes_left >= 0


class _Comm(BaseComm):
    """A widget's connection to nbclient's record of widgets, in place of a front end."""

    publisher: _Publisher

    def publish_msg(
        self,
        msg_type: str,
        data: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
        buffers: list[Any] | None = None,
        **keys: Any,
    ) -> None:
        content = json_clean({"data": data or {}, "comm_id": self.comm_id, **keys})
        content = json.loads(json.dumps(content))  # nbclient changes the lists in it
        self.publisher.send(
            None,
            msg_type,
            content,
            self.publisher.parent(),
            metadata=metadata,
            buffers=buffers,
        )


def _connect_comms(publisher: _Publisher) -> None:
    manager = CommManager()
    _Comm.publisher = publisher
    comm.create_comm = _Comm
    comm.get_comm_manager = lambda: manager


@contextmanager
def _no_stdin(kernel: _Kernel) -> Iterator[None]:
    saved = builtins.input, getpass.getpass
    builtins.input, getpass.getpass = kernel.raw_input, kernel.getpass
    try:
        yield
    finally:
        builtins.input, getpass.getpass = saved


def _merge_streams(outputs: list[NotebookNode]) -> list[dict[str, Any]]:
    """Plain copies of `outputs`; neighbours of one stream are joined, as front ends show them."""
    merged: list[dict[str, Any]] = []
    for output in map(_plain, outputs):
        last = merged[-1] if merged else {"output_type": None}
        same_stream = output["output_type"] == "stream" == last["output_type"]
        if same_stream and last["name"] == output["name"]:
            last["text"] += output["text"]
        else:
            merged.append(output)
    return merged


def _size(content: Any) -> int:
    if isinstance(content, dict):
        return sum(map(_size, content.values()))
    if isinstance(content, list):
        return sum(map(_size, content))
    return len(content) if isinstance(content, str) else 8


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
