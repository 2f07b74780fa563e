"""Runs notebook cells in this process with the outputs that a Jupyter kernel would give.

A cell goes through ipykernel's own shell, and its messages through nbclient's own rules, but
both ends are in one process: no sockets and no event loop of a server, a few milliseconds a cell.
Create one `Shell` a process, after the fork.
"""

from __future__ import annotations

import asyncio
import builtins
import getpass
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
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
# What a shell imports when it is made or first needs it: for a warm process to import before the
# fork. Never matplotlib_inline.backend_inline, which looks for its shell when it is imported.
MODULES = (
    "autograder.sandbox.shell",
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
MAX_OUTPUT_BYTES = 8 << 20  # of one cell; the rest is dropped, with a notice

# The first notebook compiles nbformat's schema, in 50 ms: better when imported than after a fork.
_EMPTY_NOTEBOOK = v4.new_notebook()


class Shell:
    """An IPython shell whose cells' outputs come back as nbformat version 4 dictionaries.

    It takes over this process: `sys.stdout`, `sys.stderr`, file descriptors 1 and 2, the comm
    package and `input` belong to it from then on.

    Args:
        max_output_bytes: how much output one cell may produce before the rest is dropped.
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
        """The outputs of every cell so far: a later cell may have updated an earlier display."""
        return [_merge_streams(cell.outputs) for cell in self._publisher.cells]

    def run_cell(self, source: str) -> list[dict[str, Any]]:
        """Run one cell and return its outputs, an error's traceback included; raises nothing.

        Top-level `await`, magics and `!` commands work as in a notebook. The `execution_count` of
        an `execute_result` counts this shell's cells, blank ones left out.
        """
        self._ipython.set_parent(self._publisher.begin_cell())
        with _no_stdin(self._ipython.kernel):
            self._loop.run_until_complete(self._run(source))
        for stream in self._streams:
            stream.flush()
        return _merge_streams(self._publisher.end_cell())

    async def _run(self, source: str) -> None:
        # As ipykernel does it: a cell with a top-level await is a task of the running loop, any
        # other cell a plain call while the loop runs (so asyncio.run() in it fails, as there).
        shell = self._ipython
        error = None
        try:
            transformed = shell.transform_cell(source)
        except Exception:
            transformed, error = source, sys.exc_info()
        how = {"transformed_cell": transformed, "preprocessing_exc_tuple": error}
        if not source.strip():
            return
        if not shell.should_run_async(source, **how):
            shell.run_cell(source, store_history=True)
            return
        task = asyncio.ensure_future(shell.run_cell_async(source, store_history=True, **how))
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


def _start_ipython(publisher: _Publisher) -> Any:
    config = Config()
    config.HistoryManager.enabled = False  # no history database in a process that is thrown away
    shell: Any = _Shell.instance(
        config=config, compiler_class=XCachingCompiler, kernel=_Kernel(publisher), user_ns={}
    )
    for end in (shell.displayhook, shell.display_pub):
        end.session, end.pub_socket = publisher, publisher
    shell.displayhook.topic = b"execute_result"
    shell.extension_manager.load_extension("storemagic")
    return shell


class _DisplayHook(ZMQShellDisplayHook):
    session = AnyTrait()  # a _Publisher, where ipykernel insists on a Jupyter session


class _DisplayPublisher(ZMQDisplayPublisher):
    session = AnyTrait()


class _Shell(ZMQInteractiveShell):
    """ipykernel's shell; `exit` and `quit` do nothing, as the process isn't a user's to end."""

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
    """The little that libraries ask of `get_ipython().kernel`; it has no one to ask for input."""

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
    """Stands where a Jupyter session and socket stand: turns messages into a cell's outputs."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes_left = 0
        self._running = ""
        self._lock = threading.RLock()
        self._replies: list[dict[str, Any]] = []
        silent = logging.Logger("nbclient")  # its warnings must not become a cell's output
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
        """Close the running cell; what comes later from its threads is dropped."""
        with self._lock:
            self._running = ""
            replies, self._replies = self._replies, []
        manager: Any = comm.get_comm_manager()
        for message in replies:
            manager.comm_msg(None, None, message)
        outputs: list[NotebookNode] = self.cells[-1].outputs
        return outputs

    def parent(self, *_: Any) -> dict[str, Any]:
        """The request whose answer is being computed."""
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
        """Publish a message; with one argument, an answer to the kernel (an Output widget's)."""
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
        """Whether to take the message; the one that goes over is replaced by a notice."""
        if message["msg_type"] == "error":
            return True
        over_before = self._bytes_left < 0
        self._bytes_left -= _size(message["content"])
        if self._bytes_left < 0 and not over_before:
            text = f"\n[Output over {self._max_bytes:,} bytes: the rest of it is left out]\n"
            self.cells[-1].outputs.append(v4.new_output("stream", name="stderr", text=text))
        return self._bytes_left >= 0


class _Comm(BaseComm):
    """A widget's line to the front end: here, to nbclient's record of the widgets."""

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
    """Plain copies of `outputs`, neighbours of the same stream in one, as front ends show them."""
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
