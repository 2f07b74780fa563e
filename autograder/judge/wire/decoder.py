"""Reads values from the tags that `encoder` writes.

Nothing is ever unpickled, and no tag that the judge reads imports or calls anything.
"""

from __future__ import annotations

import builtins
import collections
import functools
import math
import re
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

import numpy as np
import torch
from PIL import Image
from torch import nn

from autograder.judge.values.dtypes import dtype_from_json
from autograder.judge.values.registry import REGISTRY
from autograder.judge.wire.ledger import Ledger
from autograder.judge.wire.shared import MAPPINGS

_T = TypeVar("_T")

MAX_DEPTH = 100
_TORCH_DTYPES = {
    str(value).removeprefix("torch."): value
    for value in vars(torch).values()
    if isinstance(value, torch.dtype) and not str(value).startswith(("torch.q", "torch.bits"))
}
_DEVICE = re.compile(r"cpu|cuda(:\d{1,2})?")
FACTORIES = frozenset({"list", "dict", "set", "int", "float", "str", "bool", "tuple"})
_RETURN_TYPES = {name: cls for name, cls in vars(torch.return_types).items() if name[0] != "_"}
# Image modes whose pixels are all in tobytes(), with the number of bytes in a pixel.
IMAGE_MODES = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4, "YCbCr": 3, "HSV": 3, "I": 4,
                "F": 4}  # fmt: skip
_MAX_VIEW_BYTES = 512 << 20
MAX_FROZENSET = 50_000
MAX_DIGITS = 1 << 20  # of an integer, in base 16


class Decoder:
    """Turns one message's JSON and buffers back into values.

    Anything that can't be read raises an ordinary exception, and the peer decides what follows.
    The judge ends such a candidate.

    Attributes:
        leaves: tensors in the message with respect to which gradients can be taken, in the order
            of the sender's `Encoder.inputs`.
        outputs: results with a history, which the peer sets before it decodes an answer's value.
    """

    def __init__(self, ledger: Ledger, buffers: list[memoryview]) -> None:
        self.ledger = ledger
        self.buffers = buffers
        self.leaves: list[torch.Tensor] = []
        self.outputs: list[torch.Tensor] = []
        self.depth = 0

    def decode(self, value: Any) -> Any:
        """Return the value of a JSON form."""
        if type(value) is not list:
            if type(value) is dict:
                raise ValueError("an object where a value was expected")
            return value
        self.depth += 1
        if self.depth > MAX_DEPTH + 10:
            raise ValueError("nested too deep")
        try:
            return self.TAGS[value[0]](self, *value[1:])
        finally:
            self.depth -= 1

    def fill(self, obj: Any, body: Any) -> None:
        """Replace a shared object's contents with those of the message."""
        if isinstance(obj, collections.deque):
            items = [self.decode(item) for item in body]
            obj.clear()
            obj.extend(items)
        elif isinstance(obj, list):
            obj[:] = [self.decode(item) for item in body]
        elif isinstance(obj, set):
            items = [self.decode(item) for item in body]
            obj.clear()
            for item in items:  # a loop can be stopped if hashes collide; a C call can't
                obj.add(item)
        elif isinstance(obj, dict):
            pairs = [(self.decode(key), self.decode(value)) for key, value in body]
            obj.clear()
            for key, value in pairs:
                obj[key] = value
        elif isinstance(obj, bytearray):
            obj[:] = self.buffers[body]
        elif isinstance(obj, np.ndarray):
            self._fill_array(obj, self.array(*body))
        elif isinstance(obj, torch.Tensor):
            self._fill_tensor(obj, self.dense(*body))
        elif (mutable := REGISTRY.mutable(obj)) is not None:
            mutable.fill(self, obj, body)
        else:
            self.fill_instance(obj, [(str(name), self.decode(value)) for name, value in body])

    def fill_instance(self, obj: Any, attributes: list[tuple[str, Any]]) -> None:
        """Replace an instance's attributes with those of the message, by each end's rules."""
        raise NotImplementedError

    @staticmethod
    def _fill_tensor(obj: torch.Tensor, new: torch.Tensor) -> None:
        if new.dtype != obj.dtype:
            raise ValueError("a tensor can't change its dtype in place")
        with torch.no_grad():
            if new.shape == obj.shape:
                obj.data.copy_(new)  # only the other side's histories need old values
            else:
                obj.set_(new)  # type: ignore[call-overload]

    @staticmethod
    def _fill_array(obj: np.ndarray, new: np.ndarray) -> None:
        if new.shape != obj.shape:
            raise ValueError("an array can't change its shape in place")
        writeable = obj.flags.writeable
        obj.flags.writeable = True
        obj[...] = new
        obj.flags.writeable = writeable

    def array(self, dtype: Any, shape: Any, buffer: Any) -> np.ndarray:
        """Return an array over a buffer of the message; of objects, an array of these items."""
        kind = dtype_from_json(dtype)
        size = _shape(shape)
        if kind.hasobject:
            if type(buffer) is not list or math.prod(size) != len(buffer):
                raise ValueError("an array with too many or too few items")
            items = np.empty(len(buffer), object)
            for place, item in enumerate(buffer):
                items[place] = self.decode(item)
            return items.reshape(size)
        if not kind.itemsize:
            if math.prod(size) > _MAX_VIEW_BYTES:
                raise ValueError("an array of too many empty items")
            return np.empty(size, kind)
        return np.frombuffer(self.buffers[buffer], dtype=kind).reshape(size)

    def dense(self, dtype: str, shape: list[int], buffer: int, device: str) -> torch.Tensor:
        """Return a tensor over a buffer of the message, moved to the device it came from."""
        data = self.buffers[buffer]
        kind = _TORCH_DTYPES[dtype]
        flat = torch.frombuffer(data, dtype=kind) if len(data) else torch.empty(0, dtype=kind)
        size = _shape(shape)
        if flat.numel() != math.prod(size):
            raise ValueError("a tensor with too many or too few elements")
        # Not a view: a view keeps its base alive, so the table would never drop it.
        strides = torch.empty(size, device="meta").stride()
        tensor = torch.empty(0, dtype=kind).set_(flat.untyped_storage(), 0, size, strides)
        return tensor.to(self._device(device))

    @staticmethod
    def _device(name: str) -> torch.device:
        if not _DEVICE.fullmatch(name):
            raise ValueError(f"no such device: {name!r:.20}")
        return torch.device(name)

    def take(self, obj: _T, number: Any) -> _T:
        """Note a shared object under the number that the other side gave it."""
        return self._take(obj, number)

    def _take(self, obj: _T, number: Any, leaf: torch.Tensor | None = None) -> _T:
        if type(number) is not int:
            raise ValueError("a shared object's number is a whole number")
        self.ledger.table.add(obj, number, leaf)
        return obj

    def _int(self, digits: str) -> int:
        if len(digits) > MAX_DIGITS:
            raise ValueError("an integer of more than four million bits")
        return int(digits, 16)

    def _shared(self, number: int) -> Any:
        entry = self.ledger.table[number]
        if entry.leaf is not None:
            self.leaves.append(entry.leaf)
        return entry.obj

    def _container(self, make: type, number: int, body: Any) -> Any:
        obj = self._take(make(), number)
        self.fill(obj, body)
        return obj

    def _deque(self, number: int, body: Any, size: Any) -> Any:
        if size is not None and (type(size) is not int or not 0 <= size < 1 << 62):
            raise ValueError("a deque's length is a whole number")
        obj: collections.deque[Any] = self._take(collections.deque(maxlen=size), number)
        self.fill(obj, body)
        return obj

    def _ndarray(
        self, number: int, body: Any, order: str = "C", writeable: Any = True
    ) -> np.ndarray:
        if type(body[2]) is list:  # of objects, one of which may be the array itself
            if math.prod(_shape(body[1])) != len(body[2]):
                raise ValueError("an array with too many or too few items")
            array = self._take(np.empty(_shape(body[1]), object), number)
            self._fill_array(array, self.array(*body))
        else:
            plain = self.array(*body)
            array = self._take(np.asfortranarray(plain) if order == "F" else plain, number)
        array.flags.writeable = writeable is True
        return array

    def _defaultdict(self, number: int, body: Any, factory: str | None) -> Any:
        obj = self._container(collections.defaultdict, number, body)
        obj.default_factory = getattr(builtins, factory) if factory in FACTORIES else None
        return obj

    def _sequence(self, make: type, items: Any) -> Any:
        if make is frozenset and len(items) > MAX_FROZENSET:
            raise ValueError("a frozenset of too many items")
        return make([self.decode(item) for item in items])

    def _namedtuple(self, name: str, fields: list[str], items: Any) -> Any:
        make = self.ledger.named_tuple(name, tuple(fields))
        return make(*[self.decode(item) for item in items])

    def _return_type(self, name: str, items: Any) -> Any:
        return _RETURN_TYPES[name]([self.decode(item) for item in items])

    def _array_view(
        self, number: int, shape: list[int], strides: list[int], start: int
    ) -> np.ndarray:
        base = self.ledger.table[number].obj
        if (
            not isinstance(base, np.ndarray)
            or math.prod(_shape(shape)) * base.itemsize > _MAX_VIEW_BYTES
        ):
            raise ValueError("a view of what is no array, or too large")
        dense = np.ascontiguousarray(base)  # as the other side's copy is
        view: np.ndarray = np.ndarray(  # numpy checks that the view lies within base
            tuple(shape), base.dtype, buffer=dense.data, offset=start, strides=tuple(strides)
        )
        view.flags.writeable = base.flags.writeable
        return view

    def _view(self, number: int, shape: list[int], stride: list[int], offset: int) -> torch.Tensor:
        base = self.ledger.table[number].obj
        shape = list(_shape(shape))
        stride = list(_shape(stride))
        last = offset + sum((n - 1) * step for n, step in zip(shape, stride, strict=True))
        if (
            not isinstance(base, torch.Tensor)
            or min(shape, default=1) < 1
            or not 0 <= offset <= last < base.numel()
            or math.prod(shape) * base.element_size() > _MAX_VIEW_BYTES
        ):
            raise ValueError("a view that reaches beyond its tensor")
        dense = base.detach().contiguous()  # as the other side's copy is
        return torch.as_strided(dense, shape, stride, dense.storage_offset() + offset)

    def _tensor(self, number: int, body: Any, flags: Any, grad: Any) -> torch.Tensor:
        requires_grad, is_leaf, is_parameter = flags
        tensor = self.dense(*body)
        leaf: torch.Tensor | None = None
        if is_parameter:
            tensor = nn.Parameter(tensor, bool(requires_grad))
            leaf = tensor if requires_grad else None
        elif requires_grad:
            leaf = tensor.requires_grad_()
            if not is_leaf:  # a clone may be changed in place, a leaf may not
                tensor = leaf.clone()
        if leaf is not None:
            self.leaves.append(leaf)
        if grad is not None:
            tensor.grad = self.decode(grad)
        return self._take(tensor, number, leaf)

    def _image(self, mode: str, size: list[int], buffer: int) -> Image.Image:
        width, height = _shape(size)
        data = bytes(self.buffers[buffer])
        if len(data) != width * height * IMAGE_MODES[mode]:
            raise ValueError("an image with too many or too few pixels")
        return Image.frombytes(mode, (width, height), data)

    def _scalar(self, dtype: str, buffer: int) -> Any:
        return self.array(dtype, [1], buffer)[0]

    TAGS: ClassVar[dict[str, Callable[..., Any]]] = {
        "int": _int,
        "shared": _shared,
        "mine": lambda self, handle: self.ledger.exports[handle],
        **{
            make.__name__: functools.partial(
                lambda make, self, number, body: self._container(make, number, body), make
            )
            for make in (list, set, bytearray, *MAPPINGS)
        },
        "defaultdict": _defaultdict,
        "deque": _deque,
        **{
            make.__name__: functools.partial(
                lambda make, self, items: self._sequence(make, items), make
            )
            for make in (tuple, frozenset, torch.Size)
        },
        "slice": lambda self, items: slice(*[self.decode(item) for item in items]),
        "range": lambda self, items: range(*[self.decode(item) for item in items]),
        "namedtuple": _namedtuple,
        "return_type": _return_type,
        "ndarray": _ndarray,
        "array_view": _array_view,
        "view": _view,
        "tensor": _tensor,
        "output": lambda self, index: self.outputs[index],
        "scalar": _scalar,
        "bytes": lambda self, buffer: bytes(self.buffers[buffer]),
        "complex": lambda _, real, imag: complex(real, imag),
        "dtype": lambda _, name: _TORCH_DTYPES[name],
        "device": lambda self, name: self._device(name),
        "NotImplemented": lambda _: NotImplemented,
        "Ellipsis": lambda _: ...,
        "image": _image,
        "registered": lambda self, *fields: REGISTRY.decode(self, *fields),
        **{
            tag: functools.partial(lambda entry, self, *fields: entry.decode(self, *fields), entry)
            for tag, entry in REGISTRY.entries.items()
        },
    }


def _shape(sizes: Any) -> tuple[int, ...]:
    if type(sizes) is not list or any(type(n) is not int or n < 0 for n in sizes):
        raise ValueError("a shape is a list of whole numbers")
    return tuple(sizes)
