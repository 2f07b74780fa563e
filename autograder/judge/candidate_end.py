"""The candidate's end: it runs the student's cells and serves the judge's requests.

Nothing here can be trusted once a student's cell has run, so the judge checks everything that must
hold. A test's source and its hidden names are never sent here.
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
import signal
import socket
import sys
import traceback
import types
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from autograder.judge.around.held import Held
from autograder.judge.around.seeds import restore
from autograder.judge.candidate_codec import (
    CandidateDecoder,
    CandidateEncoder,
    CandidateObjects,
)
from autograder.judge.candidate_files import CandidateFiles
from autograder.judge.errors import CandidateLostError
from autograder.judge.objects import awaiting
from autograder.judge.objects.derived import derivable, derive, inherited
from autograder.judge.objects.kinds import contents_of
from autograder.judge.policy import PYPLOT
from autograder.judge.raised import is_cuda_failure
from autograder.judge.values.registry import REGISTRY
from autograder.judge.wire.channel import Channel
from autograder.judge.wire.decoder import Decoder
from autograder.judge.wire.encoder import Encoder
from autograder.judge.wire.shared import plain_tensor
from course_utils.own_work import enforced, paused

MAX_PRINTED = 1 << 20


class CandidatePeer(CandidateFiles, CandidateObjects):
    """Serves the judge.

    Args:
        channel: the connection.
        shell: the shell that runs the student's cells; its `user_ns` holds the student's names.
    """

    encoder = CandidateEncoder
    decoder = CandidateDecoder

    def __init__(self, channel: Channel, shell: Any) -> None:
        super().__init__(channel, shell.user_ns)
        self.shell = shell
        self._told: dict[str, Any] = {}  # names with their values at the judge's look-up
        self._interruptible = self._interrupted = False
        self._held: Held | None = None
        self.derived: list[type] = []  # tests' classes that derive from a student's
        self._streams = sys.stdout, sys.stderr
        self._state: tuple[bool, torch.dtype] = (True, torch.get_default_dtype())

    def wants_live(self, op: str, target: Any, name: str | None) -> bool:
        """Return whether tensors stay here: those of attributes, items, globals and models."""
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
        """Apply the judge's grad mode, defaults, seeds and house rules, and collect the prints."""
        grad, dtype, device, seeds, rules, held = context
        if seeds is not None:
            restore(seeds, decoder)
        out, err = _Printed(), _Printed()
        before = torch.get_default_dtype()
        streams = sys.stdout, sys.stderr
        outer, self._held = self._held, held
        torch.set_default_dtype(getattr(torch, dtype))
        try:
            grad = grad and self._state[0]  # a cell that turned grad mode off keeps it off
            with torch.set_grad_enabled(grad), torch.device(device) if device else _SAME:
                sys.stdout, sys.stderr = out, err
                with enforced(rules) if rules else _SAME, held.active() if held else _SAME:
                    yield lambda: (out.getvalue(), err.getvalue())
        finally:
            self._held = outer
            sys.stdout, sys.stderr = streams
            torch.set_default_dtype(before)

    def read_context(self, context: Any, decoder: Decoder) -> Any:
        """Decode what the test has changed around the call."""
        *plain, parts = context
        return [*plain, None if parts is None else Held(decoder.decode(parts))]

    def outgoing_names(self, _: Encoder) -> list[Any]:
        """Return the names that were rebound or deleted since the judge looked them up."""
        return [
            name for name, obj in self._told.items() if self.namespace.get(name, self) is not obj
        ]

    def incoming_names(self, names: list[Any], decoder: Decoder) -> None:
        """Bind and delete the names that a test bound and deleted."""
        for name, *value in names:
            if value:
                self.namespace[name] = decoder.decode(value[0])
            else:
                self.namespace.pop(name, None)

    def perform(
        self, op: str, target: Any, name: str | None, args: list[Any], kwargs: dict[str, Any]
    ) -> Any:
        """Do one of the operations below; a signal may interrupt only student code."""
        before, self._interruptible = self._interruptible, True
        self._interrupted = False
        try:
            return getattr(self, f"_do_{op}")(target, name, *args, **kwargs)
        finally:
            self._interruptible = before

    def interrupt(self, *_: Any) -> None:
        """Handle SIGINT, which the judge sends when the time is up, until it has an answer."""
        if self.talking:
            self._interrupted = True
        elif self._interruptible:
            self._interruptible = self._interrupted = (
                False  # once a call: student code may clean up
            )
            raise KeyboardInterrupt

    def request(self, *args: Any, **kwargs: Any) -> Any:
        """Do as `Peer.request`; an interrupt that came meanwhile is raised afterwards."""
        try:
            with self._held.suspended() if self._held else _SAME, paused():
                return super().request(*args, **kwargs)
        finally:
            if self._interrupted:
                self.interrupt()

    def error_to_json(self, error: BaseException, encoder: Encoder) -> Any:
        """Encode the class (a student's by handle), the arguments, the text and the traceback."""
        kind = type(error)
        names = [base.__name__ for base in kind.__mro__ if base.__module__ == "builtins"]
        own = encoder.other(kind) if kind.__module__ != "builtins" else None
        args = list(error.args) if all(type(a) in _PLAIN for a in error.args) else None
        instance = None if own is None else encoder.other(error)
        number = vars(error).get(_NUMBER)
        cuda = is_cuda_failure(error)
        return [names, own, args, _text(error), _where(error), cuda, instance, number]

    def error_from_json(self, value: Any, _: Decoder) -> BaseException:
        """Make the exception that a test's callable raised, of its builtin class."""
        name, message, number = value
        kind = getattr(sys.modules["builtins"], name, RuntimeError)
        try:
            error: BaseException = kind(message)
        except Exception:
            error = RuntimeError(message)
        vars(error)[_NUMBER] = number
        return error

    def _do_cell(self, _: Any, source: str, count: int) -> Any:
        self.shell.execution_count = count
        with self._notebook_state():
            outputs = json.dumps(self.shell.run_cell(source))
        return outputs, is_cuda_failure(getattr(sys, "last_value", None))

    def _do_register(self, _: Any, values: str) -> None:
        REGISTRY.register(json.loads(values))

    def _do_sync(self, *_: Any) -> None:
        """Do nothing, because the message itself carried all changes."""

    @contextlib.contextmanager
    def _notebook_state(self) -> Iterator[None]:
        """Restore the notebook's own streams and torch settings, which the cell may change."""
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
            obj = self._told[name] = self.namespace[name]
        except KeyError:
            raise NameError(f"name '{name}' is not defined") from None
        return obj

    def _do_bound(self, _: Any, name: str) -> bool:
        return name in self.namespace

    def _do_names(self, *_: Any) -> tuple[str, ...]:
        return tuple(str(name) for name in self.namespace)

    def _do_call(self, target: Any, _: Any, /, *args: Any, **kwargs: Any) -> Any:
        result = target(*args, **kwargs)
        if _isinstance(result, types.GeneratorType) and _lists_a_model(target):
            self._live_iterators.add(id(result))
        return result

    def _do_derivable(self, target: type, _: Any) -> Any:
        return derivable(target)

    def _do_derive(
        self, target: type, name: str, stand_in: Any, members: Any, options: dict[str, Any]
    ) -> str:
        handle = stand_in._handle_
        cls = derive(target, name, f"test-class-{handle}", members, options)
        self.derived.append(cls)
        self.callbacks[id(cls)] = handle
        return self.remember(handle, cls).__module__

    def _do_new(self, _: Any, __: Any, cls: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        return (
            cls.__new__(cls) if cls.__new__ is object.__new__ else cls.__new__(cls, *args, **kwargs)
        )

    def _do_super(self, target: type, name: str, obj: Any, cls: type | None) -> Any:
        return inherited(target, name, obj, cls)

    def _do_await(self, target: Any, _: Any) -> Any:
        return awaiting.finish(target)

    def _do_gather(self, _: Any, __: Any, targets: list[Any], **options: Any) -> Any:
        return awaiting.finish(awaiting.gathered(targets, options))

    def _do_wait_for(self, target: Any, _: Any, seconds: float | None) -> Any:
        return awaiting.finish(awaiting.limited(target, seconds))

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

    def _do_special(self, target: Any, name: str, /, *args: Any) -> Any:
        return getattr(type(target), name)(target, *args)

    def _do_iter(self, target: Any, _: Any) -> Any:
        iterator = iter(target)
        if id(target) in self._live_iterators:
            self._live_iterators.add(id(iterator))
        return iterator

    def _do_contents(self, target: Any, _: Any) -> Any:
        return contents_of(target)

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

    def _do_tensor_method(self, target: Any, name: str, /, *args: Any, **kwargs: Any) -> Any:
        return getattr(target, name)(*args, **kwargs)

    def _do_tensor_backward(self, target: torch.Tensor, _: Any, grad: torch.Tensor) -> None:
        target.backward(grad)

    def _do_backward(self, _: Any, __: Any, token: int, grads: list[Any]) -> Any:
        return tuple(self.graphs.backward(token, grads))

    def _do_pyplot(self, _: Any, name: str, /, *args: Any, **kwargs: Any) -> Any:
        import matplotlib.pyplot as plt

        if name not in PYPLOT:
            raise AttributeError(name)
        return getattr(plt, name)(*args, **kwargs)


_isinstance, _len = isinstance, len  # a test may forbid the builtins during a call
_NUMBER = "_number_of_the_tests_error"
_PLAIN = (type(None), bool, int, float, str)
_SAME = contextlib.nullcontext()
_NOT_THEIRS = ("/course_utils/own_work.py", "/contextlib.py")


class _Printed(io.StringIO):
    """Collects what is printed during one call, up to a limit."""

    def write(self, text: str) -> int:
        if self.tell() < MAX_PRINTED:
            super().write(text[: MAX_PRINTED - self.tell()])
        return _len(text)


def _lists_a_model(target: Any) -> bool:
    """Return whether this is torch's own method of a model, such as parameters()."""
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
    """Return the traceback through the student's code, without the autograder's frames."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.endswith(_NOT_THEIRS) and "/autograder/judge/" not in frame.filename
    ]
    return "".join(traceback.format_list(frames[-8:]))[-4000:]


def main(sock_fd: int) -> None:
    """Run as the candidate until the judge closes the connection.

    Args:
        sock_fd: this end of the socket pair.
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
