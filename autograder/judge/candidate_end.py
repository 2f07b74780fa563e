"""The student's end: runs the student's cells and serves what the judge asks of their names.

Nothing here can be trusted once a student's cell has run: all that must hold is checked by the
judge. No test's source or hidden name is ever sent here.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import importlib
import io
import json
import signal
import socket
import sys
import traceback
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import nn

from autograder.judge.channel import Channel
from autograder.judge.codec import Decoder, Encoder, laid_out
from autograder.judge.errors import CandidateLostError
from autograder.judge.peer import Peer
from autograder.judge.policy import PYPLOT
from autograder.judge.raised import is_cuda_failure
from autograder.judge.seeds import restore
from autograder.judge.shared import memory_key, plain_tensor
from autograder.judge.stand_ins import Kind, Remote, remote_class
from course_utils.own_work import enforced, paused

MAX_PRINTED = 1 << 20
_MAX_FILE = 64 << 20


class CandidateEncoder(Encoder):
    """Everything that isn't plain data becomes a handle; tensors too, where they are to stay."""

    peer: CandidatePeer

    def other(self, obj: Any) -> Any:
        """A handle, with a description of the object's class the first time."""
        if isinstance(obj, Remote):
            return ["mine", obj._handle]
        callback = self.peer.callbacks.get(id(obj))
        if callback and self.peer.imported(callback) is obj:  # ids are used again
            return ["mine", callback]
        kind, info = self.peer.kind(type(obj))
        if info is not None:
            self.undo.append(functools.partial(self.peer.kinds.pop, type(obj), None))
        names = None
        if isinstance(obj, type) and issubclass(obj, BaseException):
            names = [base.__name__ for base in obj.__mro__]
        return ["remote", self.export(obj), kind, info, names]

    def tensor(self, obj: torch.Tensor) -> Any:
        """By value, or by handle where it is a parameter or lives in something that stays here."""
        if obj.layout is torch.strided and not obj.is_meta and self._stays(obj):
            handle = self.export(obj)
            self.peer.keep(handle, obj)
            dtype = str(obj.dtype).removeprefix("torch.")
            flags = [obj.requires_grad, isinstance(obj, nn.Parameter)]
            return ["live", handle, list(obj.shape), dtype, str(obj.device), flags]
        return super().tensor(obj)

    def _stays(self, obj: Any) -> bool:
        if not isinstance(obj, torch.Tensor):
            return False
        entry = self.peer.table.find(obj)
        if entry is not None and entry.number % 2 == 0:
            return False  # the judge's own tensor: it has the data
        return (
            type(obj) is nn.Parameter  # a subclass may answer as it likes: its data cross once
            or self.live
            or obj in self.peer.exports
            or self.peer.shares_live_memory(obj)
        )

    _BY_TYPE: ClassVar[dict[type, Callable[..., Any]]] = {
        **Encoder._BY_TYPE,
        torch.Tensor: tensor,
        nn.Parameter: tensor,
    }


class CandidateDecoder(Decoder):
    """Also reads library names, instances and callbacks: the judge is trusted."""

    peer: CandidatePeer

    def fill_instance(self, obj: Any, attributes: list[tuple[str, Any]]) -> None:
        """The judge's word is law."""
        vars(obj).clear()
        vars(obj).update(attributes)

    def dense(
        self, dtype: str, shape: list[int], buffer: int, device: str, *strides: list[int]
    ) -> torch.Tensor:
        """As `Decoder.dense`; a test's tensor is laid out as the test made it."""
        made = super().dense(dtype, shape, buffer, device)
        return laid_out(made, *strides) if strides else made

    def _name(self, module: str, qualname: str) -> Any:
        obj = importlib.import_module(module)
        for part in qualname.split(".") if qualname else ():
            obj = getattr(obj, part)
        return obj

    def _main(self, name: str) -> Any:
        return self.peer.namespace[name]

    def _instance(self, number: int, kind: Any, body: Any) -> Any:
        made = self.decode(kind)
        obj = self._take(made.__new__(made), number)
        self.fill(obj, body)
        return obj

    def _reduced(self, func: Any, args: Any, state: Any, items: Any, pairs: Any) -> Any:
        obj = self.decode(func)(*self.decode(args))
        state = self.decode(state)
        if hasattr(obj, "__setstate__") and state is not None:
            obj.__setstate__(state)
        elif state is not None:
            vars(obj).update(state)
        for item in self.decode(items) or ():
            obj.append(item)
        for key, value in self.decode(pairs) or ():
            obj[key] = value
        return obj

    def _class(self, handle: int, name: str, bases: Any, members: Any) -> type:
        made: type | None = self.peer.imported(handle)
        if made is None:
            namespace = {key: self._member(kind, value) for key, kind, value in members}
            made = type(name, tuple(self.decode(base) for base in bases), namespace)
            self.peer.remember(handle, made)
        return made

    def _member(self, kind: str, value: Any) -> Any:
        decoded = self.decode(value)
        wrap = {"property": property, "static": staticmethod, "class": classmethod}.get(kind)
        return wrap(decoded) if wrap else decoded

    def _callback(self, handle: int, dunders: list[str] | None) -> Any:
        found = self.peer.imported(handle)
        if found is not None:
            return found
        if dunders is None:
            function = self.peer.callback(handle)
            self.peer.callbacks[id(function)] = handle
            return self.peer.remember(handle, function)
        kind = Kind(("test:object",), frozenset(dunders), own_eq=False)
        return self.peer.remember(handle, remote_class(kind, None)(self.peer, handle))

    TAGS: ClassVar[dict[str, Callable[..., Any]]] = {
        **Decoder.TAGS,
        "name": _name,
        "main": _main,
        "instance": _instance,
        "reduced": _reduced,
        "class": _class,
        "callback": _callback,
    }


class CandidatePeer(Peer):
    """Serves the judge.

    Args:
        channel: The connection.
        shell: Runs the student's cells; its `user_ns` holds the student's names.
    """

    parity = 1
    encoder = CandidateEncoder
    decoder = CandidateDecoder

    def __init__(self, channel: Channel, shell: Any) -> None:
        super().__init__(channel)
        self.shell = shell
        self.namespace: dict[str, Any] = shell.user_ns
        self.callbacks: dict[int, int] = {}
        self._live: dict[int, int] = {}  # handle: memory
        self._live_memory: dict[int, set[int]] = {}  # memory: handles
        self._live_iterators: set[int] = set()
        self.kinds: dict[type, int] = {}
        self._last_kind = 0
        self._told: dict[str, Any] = {}  # what names meant when the judge looked them up
        self._interruptible = self._interrupted = False
        self._streams = sys.stdout, sys.stderr
        self._state: tuple[bool, torch.dtype] = (True, torch.get_default_dtype())

    # Handles.

    def kind(self, cls: type) -> tuple[int, Any]:
        """A class's number, and its description if the judge doesn't have it yet."""
        if (number := self.kinds.get(cls)) is not None:
            return number, None
        info = Kind.of(cls).to_json()
        self._last_kind += 1
        self.kinds[cls] = self._last_kind
        return self._last_kind, info

    def keep(self, handle: int, tensor: torch.Tensor) -> None:
        """The judge has a live tensor's handle: what shares its memory is live from now on."""
        key = memory_key(tensor)
        if self._live.get(handle) != key:
            self._let_go(handle)
            self._live[handle] = key
            self._live_memory.setdefault(key, set()).add(handle)

    def shares_live_memory(self, tensor: torch.Tensor) -> bool:
        """Whether a tensor that the judge has a handle of has its values in the same memory."""
        key = memory_key(tensor)
        # A parameter's memory changes with `m.double()`; its old memory may be anybody's.
        handles = self._live_memory.get(key, ()) if key else ()
        return any(memory_key(self.exports[handle]) == key for handle in handles)

    def released(self, handle: int) -> None:
        """Forget a handle, and that its memory is live."""
        if handle >= 0:
            self._live_iterators.discard(id(self.exports.get(handle)))
        self._let_go(handle)
        super().released(handle)

    def _let_go(self, handle: int) -> None:
        if (key := self._live.pop(handle, None)) is not None:
            self._live_memory[key].discard(handle)
            if not self._live_memory[key]:
                del self._live_memory[key]

    def callback(self, handle: int) -> Callable[..., Any]:
        """A function of the test, as a function here."""
        target = types.SimpleNamespace(_handle=handle)

        def call_test(*args: Any, **kwargs: Any) -> Any:
            return self.request("call", target, None, args, kwargs)

        return call_test

    def forget(self, handle: int) -> None:
        """Let go of a handle, and of the function that it was the test's name for."""
        super().forget(handle)
        self.callbacks = {key: value for key, value in self.callbacks.items() if value != handle}

    def wants_live(self, op: str, target: Any, name: str | None) -> bool:
        """Attributes, items and globals stay here, and so does what a model lists of itself."""
        if op in ("name", "getattr", "tensor_method"):
            return True
        if op == "special":
            return name == "__getitem__" or (
                name == "__next__" and id(target) in self._live_iterators
            )
        return op == "call" and _lists_a_model(target)

    # Serving.

    @contextlib.contextmanager
    def under(self, context: Any, decoder: Decoder) -> Iterator[Callable[[], tuple[str, str]]]:
        """The judge's grad mode, default dtype and device, seeds and rules; prints are kept."""
        grad, dtype, device, seeds, rules = context
        if seeds is not None:
            restore(seeds, decoder)
        out, err = _Printed(), _Printed()
        before = torch.get_default_dtype()
        streams = sys.stdout, sys.stderr
        torch.set_default_dtype(getattr(torch, dtype))
        try:
            grad = grad and self._state[0]  # a cell that turned it off for good meant that
            with torch.set_grad_enabled(grad), torch.device(device) if device else _SAME:
                sys.stdout, sys.stderr = out, err
                with enforced(rules) if rules else _SAME:
                    yield lambda: (out.getvalue(), err.getvalue())
        finally:
            sys.stdout, sys.stderr = streams
            torch.set_default_dtype(before)

    def outgoing_names(self, _: Encoder) -> list[Any]:
        """Names that mean something else than when the judge looked them up."""
        return [
            name for name, obj in self._told.items() if self.namespace.get(name, self) is not obj
        ]

    def incoming_names(self, names: list[Any], decoder: Decoder) -> None:
        """Bind and delete what a test bound and deleted."""
        for name, *value in names:
            if value:
                self.namespace[name] = decoder.decode(value[0])
            else:
                self.namespace.pop(name, None)

    def perform(
        self, op: str, target: Any, name: str | None, args: list[Any], kwargs: dict[str, Any]
    ) -> Any:
        """One of the operations below; student code may be interrupted, ours may not."""
        before, self._interruptible = self._interruptible, True
        self._interrupted = False
        try:
            return getattr(self, f"_do_{op}")(target, name, *args, **kwargs)
        finally:
            self._interruptible = before

    def interrupt(self, *_: Any) -> None:
        """SIGINT: the judge says that the time is up. It says so until it has an answer."""
        if self.talking:
            self._interrupted = True
        elif self._interruptible:
            self._interruptible = self._interrupted = False  # once a call: it may clean up
            raise KeyboardInterrupt

    def request(self, *args: Any, **kwargs: Any) -> Any:
        """As `Peer.request`; an interrupt that came meanwhile is raised now."""
        try:
            with paused():
                return super().request(*args, **kwargs)
        finally:
            if self._interrupted:
                self.interrupt()

    def error_to_json(self, error: BaseException, encoder: Encoder) -> Any:
        """The class by name, or by handle if it is the student's; arguments; where it happened."""
        kind = type(error)
        names = [base.__name__ for base in kind.__mro__ if base.__module__ == "builtins"]
        own = encoder.other(kind) if kind.__module__ != "builtins" else None
        args = list(error.args) if all(type(a) in _PLAIN for a in error.args) else None
        return [names, own, args, _text(error), _where(error), is_cuda_failure(error)]

    def error_from_json(self, value: Any, _: Decoder) -> BaseException:
        """An exception that a test's callable raised: its builtin class and its message."""
        name, message = value
        kind = getattr(sys.modules["builtins"], name, RuntimeError)
        try:
            return kind(message)
        except Exception:
            return RuntimeError(message)

    def _do_cell(self, _: Any, source: str, count: int) -> Any:
        self.shell.execution_count = count
        with self._notebook_state():
            outputs = json.dumps(self.shell.run_cell(source))
        return outputs, is_cuda_failure(getattr(sys, "last_value", None))

    def _do_sync(self, *_: Any) -> None:
        """The message itself carried what was to be told."""

    @contextlib.contextmanager
    def _notebook_state(self) -> Iterator[None]:
        """A cell sees, and sets, the notebook's own streams and torch settings."""
        streams = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = self._streams
        grad, dtype = self._state
        torch.set_default_dtype(dtype)
        try:
            with torch.set_grad_enabled(grad):
                yield
                grad = torch.is_grad_enabled()
        finally:
            self._state = (grad, torch.get_default_dtype())
            sys.stdout, sys.stderr = streams

    def _do_name(self, _: Any, name: str) -> Any:
        try:
            found = self._told[name] = self.namespace[name]
        except KeyError:
            raise NameError(f"name '{name}' is not defined") from None
        return found

    def _do_bound(self, _: Any, name: str) -> bool:
        return name in self.namespace

    def _do_call(self, target: Any, _: Any, *args: Any, **kwargs: Any) -> Any:
        result = target(*args, **kwargs)
        if isinstance(result, types.GeneratorType) and _lists_a_model(target):
            self._live_iterators.add(id(result))
        return result

    def _do_apply(
        self, _: Any, __: Any, func: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]
    ) -> Any:
        return func(*args, **kwargs)

    def _do_getattr(self, target: Any, name: str) -> Any:
        return getattr(target, name)

    def _do_setattr(self, target: Any, name: str, value: Any) -> None:
        setattr(target, name, value)

    def _do_delattr(self, target: Any, name: str) -> None:
        delattr(target, name)

    def _do_special(self, target: Any, name: str, *args: Any) -> Any:
        return getattr(type(target), name)(target, *args)

    def _do_iter(self, target: Any, _: Any) -> Any:
        iterator = iter(target)
        if id(target) in self._live_iterators:
            self._live_iterators.add(id(iterator))
        return iterator

    def _do_repr(self, target: Any, _: Any) -> str:
        return repr(target)

    def _do_str(self, target: Any, _: Any) -> str:
        return str(target)

    def _do_format(self, target: Any, _: Any, spec: str) -> str:
        return format(target, spec)

    def _do_dir(self, target: Any, _: Any) -> list[str]:
        return dir(target)

    def _do_copy(self, target: Any, _: Any) -> Any:
        return copy.copy(target)

    def _do_deepcopy(self, target: Any, _: Any) -> Any:
        return copy.deepcopy(target)

    def _do_isinstance(self, target: Any, _: Any, obj: Any) -> bool:
        return isinstance(obj, target)

    def _do_issubclass(self, target: Any, _: Any, cls: Any) -> bool:
        return issubclass(cls, target)

    def _do_class_name(self, target: Any, _: Any) -> str | None:
        return f"{target.__module__}:{target.__qualname__}" if isinstance(target, type) else None

    def _do_fetch(self, target: torch.Tensor, _: Any) -> torch.Tensor:
        with torch._C.DisableTorchFunctionSubclass():
            return plain_tensor(target).detach().clone()

    def _do_tensor_state(self, target: torch.Tensor, _: Any) -> Any:
        with torch._C.DisableTorchFunctionSubclass():
            return target.shape, target.dtype, target.device, target.requires_grad

    def _do_tensor_method(self, target: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        return getattr(target, name)(*args, **kwargs)

    def _do_tensor_backward(self, target: torch.Tensor, _: Any, grad: torch.Tensor) -> None:
        target.backward(grad)

    def _do_backward(self, _: Any, __: Any, token: int, grads: list[Any]) -> Any:
        return tuple(self.graphs.backward(token, grads))

    def _do_pyplot(self, _: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        import matplotlib.pyplot as plt

        if name not in PYPLOT:
            raise AttributeError(name)
        return getattr(plt, name)(*args, **kwargs)

    def _do_read_file(self, _: Any, name: str) -> bytes | None:
        path = Path(name)
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return file.read(_MAX_FILE)

    def _do_list_files(self, _: Any, folder: str) -> list[str]:
        path = Path(folder)
        return sorted(p.name for p in path.iterdir() if p.is_file()) if path.is_dir() else []

    def _do_write_file(self, _: Any, name: str, data: bytes | None) -> None:
        Path(name).unlink(missing_ok=True) if data is None else Path(name).write_bytes(data)


_PLAIN = (type(None), bool, int, float, str)
_SAME = contextlib.nullcontext()
_NOT_THEIRS = ("/course_utils/own_work.py", "/contextlib.py")


class _Printed(io.StringIO):
    """What is printed during one call, up to a limit."""

    def write(self, text: str) -> int:
        if self.tell() < MAX_PRINTED:
            super().write(text[: MAX_PRINTED - self.tell()])
        return len(text)


def _lists_a_model(target: Any) -> bool:
    """Whether this is parameters(), state_dict() and the like: torch's own method of a model."""
    owner = getattr(target, "__self__", None)
    function = getattr(target, "__func__", None)
    return (
        isinstance(owner, nn.Module)
        and str(getattr(function, "__module__", "")).startswith("torch")
        and getattr(function, "__name__", "") not in ("forward", "_call_impl", "_wrapped_call_impl")
    )


def _text(error: BaseException) -> str:
    try:
        return str(error)[:4000]
    except Exception:
        return ""


def _where(error: BaseException) -> str:
    """The traceback through the student's code, without ours."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.endswith(_NOT_THEIRS) and "/autograder/judge/" not in frame.filename
    ]
    return "".join(traceback.format_list(frames[-8:]))[-4000:]


def main(sock_fd: int) -> None:
    """Run as the candidate until the judge closes the connection.

    Args:
        sock_fd: This end of the socket pair.
    """
    from autograder.sandbox.shell import Shell

    serve(socket.socket(fileno=sock_fd), Shell())


def serve(sock: socket.socket, shell: Any) -> None:
    """Serve the judge over a connected socket, with a shell that runs the student's cells."""
    torch.set_num_threads(1)
    peer = CandidatePeer(Channel(sock), shell)
    signal.signal(signal.SIGINT, peer.interrupt)
    with contextlib.suppress(CandidateLostError):
        peer.serve_forever()
