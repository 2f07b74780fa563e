"""The candidate's codec, and its record of the objects that the judge has handles of."""

from __future__ import annotations

import enum
import functools
import importlib
import types
from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import nn

from autograder.judge.objects.kinds import Kind, contents_class, contents_of
from autograder.judge.objects.stand_ins import Remote, remote_class
from autograder.judge.policy import FIXED_CONTENTS
from autograder.judge.values.entries import member_key, member_of
from autograder.judge.wire.channel import Channel
from autograder.judge.wire.decoder import Decoder
from autograder.judge.wire.encoder import Encoder
from autograder.judge.wire.peer import Peer
from autograder.judge.wire.shared import memory_key
from autograder.judge.wire.strides import laid_out

_DEEP_CONTENTS = 20  # deeper, the contents of an object cross when a test asks for them


class CandidateObjects(Peer):
    """The student's objects that the judge knows.

    Args:
        channel: the connection.
        namespace: the student's names.
    """

    parity = 1

    def __init__(self, channel: Channel, namespace: dict[str, Any]) -> None:
        super().__init__(channel)
        self.namespace = namespace
        self.callbacks: dict[int, int] = {}
        self.kinds: dict[type, int] = {}
        self.generators: dict[int, Any] = {}  # of random numbers; a test made them
        self._last_kind = 0
        self._live: dict[int, int] = {}  # handle: memory
        self._live_memory: dict[int, set[int]] = {}  # memory: handles
        self._live_iterators: set[int] = set()

    def kind(self, cls: type) -> tuple[int, Any]:
        """Return a class's number, and its description if the judge doesn't have it yet."""
        if (number := self.kinds.get(cls)) is not None:
            return number, None
        info = Kind.of(cls).to_json()
        self._last_kind += 1
        self.kinds[cls] = self._last_kind
        return self._last_kind, info

    def keep(self, handle: int, tensor: torch.Tensor) -> None:
        """Note that the judge has a live tensor's handle.

        Every tensor that shares its memory is live from now on.
        """
        key = memory_key(tensor)
        if self._live.get(handle) != key:
            self._let_go(handle)
            self._live[handle] = key
            self._live_memory.setdefault(key, set()).add(handle)

    def shares_live_memory(self, tensor: torch.Tensor) -> bool:
        """Return whether a tensor that the judge has a handle of uses the same memory."""
        key = memory_key(tensor)
        # `m.double()` gives a parameter new memory; another tensor may use its old memory now.
        handles = self._live_memory.get(key, ()) if key else ()
        return any(memory_key(self.exports[handle]) == key for handle in handles)

    def released(self, handle: int) -> None:
        """Forget a handle, and the note that its memory is live."""
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
        """Return a function that calls the test's function of this handle."""
        target = types.SimpleNamespace(_handle_=handle)

        def call_test(*args: Any, **kwargs: Any) -> Any:
            return self.request("call", target, None, args, kwargs)

        return call_test

    def forget(self, handle: int) -> None:
        """Release a handle, and forget the callback that was made for it."""
        super().forget(handle)
        self.callbacks = {key: value for key, value in self.callbacks.items() if value != handle}


class CandidateEncoder(Encoder):
    """Writes plain data by value, and everything else by handle.

    A tensor that must stay in the candidate is written by handle too.
    """

    def __init__(self, peer: CandidateObjects) -> None:
        super().__init__(peer)
        self.peer = peer

    def other(self, obj: Any) -> Any:
        """Return a handle, with a description of the object's class the first time."""
        if isinstance(obj, Remote):
            return ["mine", obj._handle_]
        callback = self.peer.callbacks.get(id(obj))
        if callback and self.peer.imported(callback) is obj:  # Python reuses ids
            return ["mine", callback]
        names: list[Any] | None = None
        kind, info = self.peer.kind(type(obj))
        if info is not None:
            self.undo.append(functools.partial(self.peer.kinds.pop, type(obj), None))
        names = None
        if isinstance(obj, type) and issubclass(obj, BaseException):
            own = next((b for b in obj.__bases__ if issubclass(b, BaseException)), None)
            base = self.other(own) if own is not None and own.__module__ != "builtins" else None
            names = [[f"{cls.__module__}:{cls.__qualname__}" for cls in obj.__mro__], base]
        handle = self.export(obj)
        fixed = contents_class(type(obj)) in FIXED_CONTENTS and self.depth < _DEEP_CONTENTS
        contents = [self.encode(contents_of(obj))] if fixed else []
        return ["remote", handle, kind, info, names, *contents]

    def member(self, obj: enum.Enum) -> Any:
        """Do as `Encoder.member`; only the judge knows whether the notebook's class is given."""
        kind = type(obj)
        key = member_key(obj)
        if kind.__module__ == "__main__" and key is not None:
            return ["member", "__main__", kind.__qualname__, key, self.other(obj)]
        return super().member(obj)

    def tensor(self, obj: torch.Tensor) -> Any:
        """Encode by value, or by handle if the tensor is part of an object that stays here."""
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
            return False  # the judge made this tensor and has its data
        return (
            type(obj) is nn.Parameter  # not a subclass, whose methods are the student's
            or self.live
            or obj in self.peer.exports
            or self.peer.shares_live_memory(obj)
        )


class CandidateDecoder(Decoder):
    """Reads library names, instances and callbacks too, because the judge is trusted."""

    def __init__(self, peer: CandidateObjects, buffers: list[memoryview]) -> None:
        super().__init__(peer, buffers)
        self.peer = peer

    def fill_instance(self, obj: Any, attributes: list[tuple[str, Any]]) -> None:
        """Replace all attributes with those of the message, because the judge is trusted."""
        vars(obj).clear()
        vars(obj).update(attributes)

    def dense(
        self, dtype: str, shape: list[int], buffer: int, device: str, *strides: list[int]
    ) -> torch.Tensor:
        """Do as `Decoder.dense`, and give a test's tensor the strides that it has in the test."""
        tensor = super().dense(dtype, shape, buffer, device)
        return laid_out(tensor, *strides) if strides else tensor

    def _name(self, module: str, qualname: str) -> Any:
        obj = importlib.import_module(module)
        for part in qualname.split(".") if qualname else ():
            obj = getattr(obj, part)
        return obj

    def _member(self, module: str, name: str, key: str | int) -> Any:
        cls = self._main(name) if module == "__main__" else self._name(module, name)
        return member_of(cls, key)

    def _main(self, name: str) -> Any:
        return self.peer.namespace[name]

    def _instance(self, number: int, kind: Any, body: Any) -> Any:
        cls = self.decode(kind)
        obj = self._take(cls.__new__(cls), number)
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

    def _generator(self, number: int, copy: Any) -> Any:
        if copy is not None:
            self.peer.generators[number] = self.decode(copy)
        return self.peer.generators[number]

    def _class(self, handle: int, name: str, bases: Any, members: Any) -> type:
        cls: type | None = self.peer.imported(handle)
        if cls is None:
            namespace = {key: self._attribute(kind, value) for key, kind, value in members}
            cls = type(name, tuple(self.decode(base) for base in bases), namespace)
            self.peer.remember(handle, cls)
        return cls

    def _attribute(self, kind: str, value: Any) -> Any:
        decoded = self.decode(value)
        wrap = {"property": property, "static": staticmethod, "class": classmethod}.get(kind)
        return wrap(decoded) if wrap else decoded

    def _callback(self, handle: int, dunders: list[str] | None) -> Any:
        callback = self.peer.imported(handle)
        if callback is not None:
            return callback
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
        "member": _member,
        "instance": _instance,
        "reduced": _reduced,
        "generator": _generator,
        "class": _class,
        "callback": _callback,
    }
