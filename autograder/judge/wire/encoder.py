"""Writes values: plain data as JSON with binary buffers, everything else as a reference.

A value is a JSON scalar (None, bool, int, float, str) or a list `[tag, ...]`. `Encoder` and
`Decoder` have the tags of both directions. `judge_codec` and `candidate_codec` add each end's tags.
"""

from __future__ import annotations

import builtins
import collections
import enum
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from autograder.judge.values.dtypes import dtype_to_json
from autograder.judge.values.entries import member_key
from autograder.judge.values.registry import REGISTRY
from autograder.judge.wire.channel import Buffer
from autograder.judge.wire.decoder import (
    FACTORIES,
    IMAGE_MODES,
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_FROZENSET,
    Decoder,
)
from autograder.judge.wire.ledger import Ledger
from autograder.judge.wire.shared import Shared, is_namedtuple, plain_tensor, tensor_bytes

_SCALARS = frozenset({type(None), bool, float, str})


class Encoder:
    """Turns the values of one message into JSON and buffers.

    Attributes:
        buffers: the message's buffers.
        inputs: tensors in the message with respect to which the other side may ask for gradients.
        outputs: results with a history; filled only if `returning` is set.
        live: whether tensors stay here, for the other side to read and change.
        created: numbers of the objects that this message shares for the first time.
        exported: handles that this message mentions for the first time.
        undo: functions that take back what encoding has noted, in case the message isn't sent.
        changed: objects whose changes this message carries.
        changing: the changed object that is being encoded.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.live = False
        self.returning = False
        self.created: list[int] = []
        self.exported: list[int] = []
        self.undo: list[Callable[[], Any]] = []
        self.changed: list[Shared] = []
        self.changing: Shared | None = None
        self.buffers: list[Buffer] = []
        self.inputs: list[torch.Tensor] = []
        self.outputs: list[torch.Tensor] = []
        self.depth = 0

    def encode(self, obj: Any) -> Any:
        """Return the JSON form of a value.

        Raises:
            TypeError: the value can't cross; the message says what to do.
        """
        kind = type(obj)
        if kind in _SCALARS:
            return obj
        if kind is int:
            return obj if -(1 << 53) < obj < 1 << 53 else ["int", _digits(obj)]
        if (entry := self.ledger.table.find(obj)) is not None and not self._stays(obj):
            if entry.leaf is not None:
                self.inputs.append(obj)
            return ["shared", entry.number]
        if self.depth > MAX_DEPTH:
            raise TypeError(f"nested deeper than {MAX_DEPTH}: it can't cross to the test")
        self.depth += 1
        try:
            if method := _BY_TYPE.get(kind):
                return getattr(self, method)(obj)
            return self._by_base(kind, obj)
        finally:
            self.depth -= 1

    def buffer(self, data: Buffer) -> int:
        """Add a buffer to the message and return its number."""
        self.buffers.append(data)
        return len(self.buffers) - 1

    def shared_number(self, obj: Any) -> int:
        """Add an object to the table of shared objects and return its number."""
        return self.share(obj).number

    def share(self, obj: Any) -> Shared:
        """Add an object to the table of shared objects."""
        entry = self.ledger.table.add(obj)
        self.created.append(entry.number)
        self.undo.append(functools.partial(self.ledger.table.drop, entry.number))
        return entry

    def export(self, obj: Any) -> int:
        """Return the handle by which the other side may ask for an object that stays here."""
        is_new = obj not in self.ledger.exports
        handle = self.ledger.exports.handle(obj)
        if is_new:
            self.exported.append(handle)
            self.undo.append(functools.partial(self.ledger.released, handle))
        return handle

    def body(self, obj: Any) -> Any:
        """Return the contents of a shared object, as `Decoder.fill` takes them."""
        if isinstance(obj, list | set | collections.deque):
            return [self.encode(item) for item in obj]
        if isinstance(obj, dict):
            return [[self.encode(key), self.encode(value)] for key, value in obj.items()]
        if isinstance(obj, bytearray):
            return self.buffer(bytes(obj))
        if isinstance(obj, np.ndarray):
            return self.array_body(obj)
        if isinstance(obj, torch.Tensor):
            dtype = str(obj.dtype).removeprefix("torch.")
            data = tensor_bytes(obj)
            return [dtype, list(obj.shape), self.buffer(data.data), str(obj.device)]
        if (mutable := REGISTRY.mutable(obj)) is not None:
            return mutable.body(self, obj)
        return [[name, self.encode(value)] for name, value in vars(obj).items()]

    def array_body(self, array: np.ndarray) -> list[Any]:
        """Return dtype, shape and buffer of an array; of an array of objects the items.

        Raises:
            TypeError: the array's dtype can't cross.
        """
        dtype = dtype_to_json(array.dtype)
        if array.dtype.hasobject:
            if array.dtype.kind != "O":
                raise TypeError("an array of records with objects can't cross to the test: return "
                                "a list of tuples")  # fmt: skip
            return [
                dtype,
                list(array.shape),
                [self.encode(item) for item in array.ravel().tolist()],
            ]
        if not array.itemsize:
            return [dtype, list(array.shape), self.buffer(b"")]
        data = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        return [dtype, list(array.shape), self.buffer(data.data)]

    def member(self, obj: enum.Enum) -> Any:
        """Encode a member of an Enum by the names of the class and the member, or its value."""
        kind = type(obj)
        key = member_key(obj)
        if kind.__module__ == "__main__" or key is None:
            return self.other(obj)
        return ["member", kind.__module__, kind.__qualname__, key]

    def other(self, obj: Any) -> Any:
        """Encode an object that isn't plain data, by each end's rules."""
        raise NotImplementedError

    def _stays(self, _obj: Any) -> bool:
        """Return whether this tensor crosses by handle, although it was shared by value before."""
        return False

    def _by_base(self, kind: type, obj: Any) -> Any:
        if isinstance(obj, torch.Tensor):
            return self.tensor(obj)
        if isinstance(obj, np.generic) and kind is not np.record:
            return ["scalar", dtype_to_json(obj.dtype), self.buffer(obj.tobytes())]
        if (entry := REGISTRY.find(kind)) is not None:
            tags = [entry.tag] if entry.tag in Decoder.TAGS else ["registered", entry.tag]
            return [*tags, *entry.write(self, obj)]
        if isinstance(obj, enum.Enum):
            return self.member(obj)
        if isinstance(obj, Image.Image) and obj.mode in IMAGE_MODES:
            return ["image", obj.mode, list(obj.size), self.buffer(obj.tobytes())]
        if kind.__module__ == "torch.return_types":
            return ["return_type", kind.__name__, [self.encode(item) for item in obj]]
        if is_namedtuple(kind):
            return [
                "namedtuple",
                kind.__name__,
                list(kind._fields),  # type: ignore[attr-defined]
                [self.encode(item) for item in obj],
            ]
        return self.other(obj)

    def _sequence(self, obj: Any) -> Any:
        if type(obj) is frozenset and len(obj) > MAX_FROZENSET:
            raise TypeError(
                f"a frozenset of {len(obj):,} items can't cross to the test: return a set"
            )
        return [type(obj).__name__, [self.encode(item) for item in obj]]

    def _container(self, obj: Any) -> Any:
        number = self.share(obj).number
        return [type(obj).__name__, number, self.body(obj)]

    def _deque(self, obj: Any) -> Any:
        number = self.share(obj).number
        return ["deque", number, self.body(obj), obj.maxlen]

    def _defaultdict(self, obj: Any) -> Any:
        number = self.share(obj).number
        factory = getattr(obj.default_factory, "__name__", None)
        is_builtin = factory in FACTORIES and getattr(builtins, factory) is obj.default_factory
        return ["defaultdict", number, self.body(obj), factory if is_builtin else None]

    def _array(self, obj: np.ndarray) -> Any:
        owner = None if obj.dtype.hasobject else self.ledger.table.owner_of_memory(obj)
        if owner is not None and isinstance(owner.obj, np.ndarray):
            base = owner.obj
            low, high = np.lib.array_utils.byte_bounds(obj)
            first, last = np.lib.array_utils.byte_bounds(base)
            within = first <= low and high <= last
            if within and base.flags.c_contiguous and base.dtype == obj.dtype:
                start = obj.__array_interface__["data"][0] - first
                return ["array_view", owner.number, list(obj.shape), list(obj.strides), start]
        order = "F" if obj.flags.f_contiguous and not obj.flags.c_contiguous else "C"
        number = self.share(obj).number
        return ["ndarray", number, self.body(obj), order, bool(obj.flags.writeable)]

    def tensor(self, obj: torch.Tensor) -> Any:
        """Encode a tensor's values, or their place on the other side."""
        if obj.layout is not torch.strided or obj.is_meta or obj.is_quantized:
            raise TypeError(
                f"a tensor with layout {obj.layout} on {obj.device} can't cross to the test: "
                "return a dense one, for example x.to_dense()"
            )
        with torch._C.DisableTorchFunctionSubclass():
            return self._dense(plain_tensor(obj))

    def _dense(self, obj: torch.Tensor) -> Any:
        owner = self.ledger.table.owner_of_memory(obj)
        if owner is not None and self._is_view(obj, owner):
            offset = obj.storage_offset() - owner.obj.storage_offset()
            return ["view", owner.number, list(obj.shape), list(obj.stride()), offset]
        if self.returning and obj.requires_grad:
            self.outputs.append(obj)
            return ["output", len(self.outputs) - 1]
        entry = self.share(obj)
        if obj.requires_grad:
            entry.leaf = obj
            self.inputs.append(obj)
        grad = self.encode(obj.grad) if obj.is_leaf else None
        flags = [obj.requires_grad, obj.is_leaf, isinstance(obj, nn.Parameter)]
        return ["tensor", entry.number, self.body(obj), flags, grad]

    @staticmethod
    def _is_view(obj: torch.Tensor, owner: Shared) -> bool:
        """Return whether the other side can rebuild `obj` from its own copy of the owner."""
        base = owner.obj
        return bool(
            isinstance(base, torch.Tensor)
            and not obj.requires_grad
            and not base.requires_grad
            and base.is_contiguous()
            and obj.dtype == base.dtype
            and obj.numel() > 0
            and (first := obj.storage_offset() - base.storage_offset()) >= 0
            and first + sum((n - 1) * step for n, step in zip(obj.shape, obj.stride(), strict=True))
            < base.numel()
        )

    def _complex(self, obj: complex) -> Any:
        return ["complex", obj.real, obj.imag]

    def _slice(self, obj: slice | range) -> Any:
        return [type(obj).__name__, [self.encode(x) for x in (obj.start, obj.stop, obj.step)]]

    def _bytes(self, obj: bytes) -> Any:
        return ["bytes", self.buffer(obj)]

    def _torch_name(self, obj: Any) -> Any:
        return [type(obj).__name__, str(obj).removeprefix("torch.")]

    def _constant(self, obj: Any) -> Any:
        return [str(obj)]


# The method of an `Encoder` for each type.
_BY_TYPE = {
    tuple: "_sequence",
    frozenset: "_sequence",
    torch.Size: "_sequence",
    list: "_container",
    set: "_container",
    dict: "_container",
    collections.OrderedDict: "_container",
    collections.Counter: "_container",
    collections.defaultdict: "_defaultdict",
    collections.deque: "_deque",
    bytearray: "_container",
    bytes: "_bytes",
    np.ndarray: "_array",
    torch.Tensor: "tensor",
    nn.Parameter: "tensor",
    complex: "_complex",
    slice: "_slice",
    range: "_slice",
    torch.dtype: "_torch_name",
    torch.device: "_torch_name",
    type(NotImplemented): "_constant",
    type(...): "_constant",
}


def _digits(number: int) -> str:
    text = hex(number)
    if len(text) > MAX_DIGITS:
        raise TypeError(f"an integer of {number.bit_length():,} bits can't cross to the test")
    return text
