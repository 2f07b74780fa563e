"""How values cross: plain data as JSON with binary buffers, everything else as a reference.

A value is a JSON scalar (None, bool, int, float, str) or a list `[tag, ...]`. `Encoder` and
`Decoder` hold what both directions share; the ends add their own tags: `judge` and `candidate`.
Nothing is ever unpickled, and no tag that the judge reads imports or calls anything.
"""

from __future__ import annotations

import builtins
import collections
import functools
import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
import torch
from PIL import Image
from torch import nn

from autograder.judge.shared import MAPPINGS, Shared, is_namedtuple, plain_tensor, tensor_bytes

if TYPE_CHECKING:
    from autograder.judge.channel import Buffer
    from autograder.judge.peer import Peer

_T = TypeVar("_T")

MAX_DEPTH = 100
_SCALARS = frozenset({type(None), bool, float, str})
_MAPPING_BY_NAME = {cls.__name__: cls for cls in MAPPINGS}
_NUMPY_KINDS = frozenset("biufcSUmM")
_NUMPY_DTYPE = re.compile(r"[<>|=]?[biufcSUmM]\d{0,6}(\[[0-9A-Za-z]{1,8}\])?")
_TORCH_DTYPES = {
    str(value).removeprefix("torch."): value
    for value in vars(torch).values()
    if isinstance(value, torch.dtype) and not str(value).startswith(("torch.q", "torch.bits"))
}
_DEVICE = re.compile(r"cpu|cuda(:\d{1,2})?")
_FACTORIES = frozenset({"list", "dict", "set", "int", "float", "str", "bool", "tuple"})
_RETURN_TYPES = {name: cls for name, cls in vars(torch.return_types).items() if name[0] != "_"}
# Modes whose pixels are all in tobytes(), with the bytes of each.
_IMAGE_MODES = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4, "YCbCr": 3, "HSV": 3, "I": 4,
                "F": 4}  # fmt: skip
_MOST_GAPS = 4  # places of memory for an element that crosses
_MAX_VIEW_BYTES = 512 << 20
_MAX_FROZENSET = 50_000


class Encoder:
    """Turns the values of one message into JSON and buffers.

    Attributes:
        buffers: The message's buffers.
        inputs: Tensors in the message with respect to which the other side may ask gradients.
        outputs: Results with a history; filled only where `returning` is set.
        live: Whether tensors stay here, for the other side to read and change.
        created: Numbers of the objects that this message shares for the first time.
        exported: Handles that this message tells for the first time.
        undo: What takes back all that encoding has noted, should the message never be sent.
        changed: Objects whose changes this message carries.
        changing: The one of them that is being encoded.
    """

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
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
        """The JSON form of a value.

        Raises:
            TypeError: the value can't cross; the message says what to do.
        """
        kind = type(obj)
        if kind in _SCALARS:
            return obj
        if kind is int:
            return obj if -(1 << 53) < obj < 1 << 53 else ["int", hex(obj)]
        if (entry := self.peer.table.find(obj)) is not None and not self._stays(obj):
            if entry.leaf is not None:
                self.inputs.append(obj)
            return ["shared", entry.number]
        if self.depth > MAX_DEPTH:
            raise TypeError(f"nested deeper than {MAX_DEPTH}: it can't cross to the test")
        self.depth += 1
        try:
            if method := self._BY_TYPE.get(kind):
                return method(self, obj)
            return self._by_base(kind, obj)
        finally:
            self.depth -= 1

    def buffer(self, data: Buffer) -> int:
        """Put bytes beside the message; their number."""
        self.buffers.append(data)
        return len(self.buffers) - 1

    def share(self, obj: Any) -> Shared:
        """Take an object into the table."""
        entry = self.peer.table.add(obj)
        self.created.append(entry.number)
        self.undo.append(functools.partial(self.peer.table.drop, entry.number))
        return entry

    def export(self, obj: Any) -> int:
        """The handle by which the other side may ask for an object that stays here."""
        is_new = obj not in self.peer.exports
        handle = self.peer.exports.handle(obj)
        if is_new:
            self.exported.append(handle)
            self.undo.append(functools.partial(self.peer.released, handle))
        return handle

    def body(self, obj: Any) -> Any:
        """The contents of a shared object, as `Decoder.fill` takes them."""
        if isinstance(obj, list | set):
            return [self.encode(item) for item in obj]
        if isinstance(obj, dict):
            return [[self.encode(key), self.encode(value)] for key, value in obj.items()]
        if isinstance(obj, bytearray):
            return self.buffer(bytes(obj))
        if isinstance(obj, np.ndarray):
            data = np.ascontiguousarray(obj).reshape(-1).view(np.uint8)
            return [obj.dtype.str, list(obj.shape), self.buffer(data.data)]
        if isinstance(obj, torch.Tensor):
            dtype = str(obj.dtype).removeprefix("torch.")
            data = tensor_bytes(obj)
            return [dtype, list(obj.shape), self.buffer(data.data), str(obj.device)]
        return [[name, self.encode(value)] for name, value in vars(obj).items()]

    def other(self, obj: Any) -> Any:
        """What isn't plain data: each end has its own answer."""
        raise NotImplementedError

    def _stays(self, _obj: Any) -> bool:
        """Whether this tensor is to cross by handle, although it was shared by value before."""
        return False

    def _by_base(self, kind: type, obj: Any) -> Any:
        if isinstance(obj, torch.Tensor):
            return self.tensor(obj)
        if isinstance(obj, np.generic) and obj.dtype.kind in _NUMPY_KINDS:
            return ["scalar", obj.dtype.str, self.buffer(obj.tobytes())]
        if isinstance(obj, Image.Image) and obj.mode in _IMAGE_MODES:
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
        return [type(obj).__name__, [self.encode(item) for item in obj]]

    def _container(self, obj: Any) -> Any:
        number = self.share(obj).number
        return [type(obj).__name__, number, self.body(obj)]

    def _defaultdict(self, obj: Any) -> Any:
        number = self.share(obj).number
        factory = getattr(obj.default_factory, "__name__", None)
        known = factory in _FACTORIES and getattr(builtins, factory) is obj.default_factory
        return ["defaultdict", number, self.body(obj), factory if known else None]

    def _array(self, obj: np.ndarray) -> Any:
        if obj.dtype.kind not in _NUMPY_KINDS:
            raise TypeError(
                f"an array of {obj.dtype} can't cross to the test: return a list, or numbers"
            )
        owner = self.peer.table.owner_of_memory(obj)
        if owner is not None and isinstance(owner.obj, np.ndarray):
            base = owner.obj
            low, high = np.lib.array_utils.byte_bounds(obj)
            first, last = np.lib.array_utils.byte_bounds(base)
            within = first <= low and high <= last
            if within and base.flags.c_contiguous and base.dtype == obj.dtype:
                start = obj.__array_interface__["data"][0] - first
                return ["array_view", owner.number, list(obj.shape), list(obj.strides), start]
        return ["ndarray", self.share(obj).number, self.body(obj)]

    def tensor(self, obj: torch.Tensor) -> Any:
        """A tensor's values, or where they are found on the other side."""
        if obj.layout is not torch.strided or obj.is_meta or obj.is_quantized:
            raise TypeError(
                f"a tensor with layout {obj.layout} on {obj.device} can't cross to the test: "
                "return a dense one, for example x.to_dense()"
            )
        with torch._C.DisableTorchFunctionSubclass():
            return self._dense(plain_tensor(obj))

    def _dense(self, obj: torch.Tensor) -> Any:
        owner = self.peer.table.owner_of_memory(obj)
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
        """Whether the other side can rebuild `obj` from its own copy of the owner."""
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

    _BY_TYPE: ClassVar[dict[type, Callable[..., Any]]] = {
        tuple: _sequence,
        frozenset: _sequence,
        torch.Size: _sequence,
        list: _container,
        set: _container,
        dict: _container,
        collections.OrderedDict: _container,
        collections.Counter: _container,
        collections.defaultdict: _defaultdict,
        bytearray: _container,
        bytes: lambda self, obj: ["bytes", self.buffer(obj)],
        np.ndarray: _array,
        torch.Tensor: tensor,
        nn.Parameter: tensor,
        complex: _complex,
        slice: _slice,
        range: _slice,
        torch.dtype: lambda _, obj: ["dtype", str(obj).removeprefix("torch.")],
        torch.device: lambda _, obj: ["device", str(obj)],
        type(NotImplemented): lambda _, __: ["NotImplemented"],
        type(...): lambda _, __: ["Ellipsis"],
    }


def layout(tensor: torch.Tensor) -> list[int] | None:
    """The strides of a tensor that isn't contiguous; None where a contiguous one must do."""
    if tensor.is_contiguous():
        return None
    once = _without_repeats(tensor.detach())
    taken = 1
    for stride, size in sorted(zip(once.stride(), once.shape, strict=True)):
        if size > 1 and stride < taken:
            return None  # elements overlap, as those of `unfold` do
        taken += (size - 1) * stride
    return None if taken > _MOST_GAPS * once.numel() else list(tensor.stride())


def laid_out(values: torch.Tensor, strides: list[int]) -> torch.Tensor:
    """The same values with these strides, in memory of their own."""
    made = torch.empty_strided(values.shape, strides, dtype=values.dtype, device=values.device)
    once = _without_repeats(made)
    once.copy_(values[tuple(map(slice, once.shape))])
    return made


def _without_repeats(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor's part in which an axis that was expanded has one element."""
    for axis, stride in enumerate(tensor.stride()):
        tensor = tensor.narrow(axis, 0, 1) if stride == 0 and tensor.shape[axis] else tensor
    return tensor


class Decoder:
    """Turns one message's JSON and buffers back into values.

    Anything that it can't make sense of raises an ordinary exception, and the peer decides what
    that means: in the judge, that the candidate is not to be talked to any longer.

    Attributes:
        leaves: Tensors in the message that gradients can be taken with respect to, in the order
            of the sender's `Encoder.inputs`.
        outputs: Results with a history, set by the peer before a reply's value is decoded.
    """

    def __init__(self, peer: Peer, buffers: list[memoryview]) -> None:
        self.peer = peer
        self.buffers = buffers
        self.leaves: list[torch.Tensor] = []
        self.outputs: list[torch.Tensor] = []
        self.depth = 0

    def decode(self, value: Any) -> Any:
        """The value of a JSON form."""
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
        """Make a shared object's contents those of the message."""
        if isinstance(obj, list):
            obj[:] = [self.decode(item) for item in body]
        elif isinstance(obj, set):
            items = [self.decode(item) for item in body]
            obj.clear()
            for item in items:  # one by one: hashes that collide can't outlast the clock
                obj.add(item)
        elif isinstance(obj, dict):
            pairs = [(self.decode(key), self.decode(value)) for key, value in body]
            obj.clear()
            for key, value in pairs:
                obj[key] = value
        elif isinstance(obj, bytearray):
            obj[:] = self.buffers[body]
        elif isinstance(obj, np.ndarray):
            obj[...] = self.array(*body)
        elif isinstance(obj, torch.Tensor):
            self._fill_tensor(obj, self.dense(*body))
        else:
            self.fill_instance(obj, [(str(name), self.decode(value)) for name, value in body])

    def fill_instance(self, obj: Any, attributes: list[tuple[str, Any]]) -> None:
        """Make an instance's attributes those of the message; each end has its own rules."""
        raise NotImplementedError

    @staticmethod
    def _fill_tensor(obj: torch.Tensor, new: torch.Tensor) -> None:
        if new.dtype != obj.dtype:
            raise ValueError("a tensor can't change its dtype in place")
        with torch.no_grad():
            if new.shape == obj.shape:
                obj.data.copy_(new)  # histories that need the old values are the other side's
            else:
                obj.set_(new)  # type: ignore[call-overload]

    def array(self, dtype: str, shape: list[int], buffer: int) -> np.ndarray:
        """An array over a buffer of the message."""
        if not _NUMPY_DTYPE.fullmatch(dtype):
            raise ValueError(f"no such dtype: {dtype!r:.40}")
        return np.frombuffer(self.buffers[buffer], dtype=np.dtype(dtype)).reshape(shape)

    def dense(self, dtype: str, shape: list[int], buffer: int, device: str) -> torch.Tensor:
        """A tensor over a buffer of the message, moved to the device it came from."""
        data = self.buffers[buffer]
        kind = _TORCH_DTYPES[dtype]
        flat = torch.frombuffer(data, dtype=kind) if len(data) else torch.empty(0, dtype=kind)
        size = _shape(shape)
        if flat.numel() != math.prod(size):
            raise ValueError("a tensor with too many or too few elements")
        # Not a view: it would hold on to what it is a view of, and never leave the table.
        strides = torch.empty(size, device="meta").stride()
        made = torch.empty(0, dtype=kind).set_(flat.untyped_storage(), 0, size, strides)
        return made.to(self._device(device))

    @staticmethod
    def _device(name: str) -> torch.device:
        if not _DEVICE.fullmatch(name):
            raise ValueError(f"no such device: {name!r:.20}")
        return torch.device(name)

    def _take(self, obj: _T, number: Any, leaf: torch.Tensor | None = None) -> _T:
        if type(number) is not int:
            raise ValueError("a shared object's number is a whole number")
        self.peer.table.add(obj, number, leaf)
        return obj

    def _int(self, digits: str) -> int:
        if len(digits) > 1 << 20:
            raise ValueError("an integer of more than four million bits")
        return int(digits, 16)

    def _shared(self, number: int) -> Any:
        entry = self.peer.table[number]
        if entry.leaf is not None:
            self.leaves.append(entry.leaf)
        return entry.obj

    def _container(self, make: type, number: int, body: Any) -> Any:
        obj = self._take(make(), number)
        self.fill(obj, body)
        return obj

    def _defaultdict(self, number: int, body: Any, factory: str | None) -> Any:
        obj = self._container(collections.defaultdict, number, body)
        obj.default_factory = getattr(builtins, factory) if factory in _FACTORIES else None
        return obj

    def _sequence(self, make: type, items: Any) -> Any:
        if make is frozenset and len(items) > _MAX_FROZENSET:
            raise ValueError("a frozenset of too many items")
        return make([self.decode(item) for item in items])

    def _namedtuple(self, name: str, fields: list[str], items: Any) -> Any:
        make = self.peer.named_tuple(name, tuple(fields))
        return make(*[self.decode(item) for item in items])

    def _return_type(self, name: str, items: Any) -> Any:
        return _RETURN_TYPES[name]([self.decode(item) for item in items])

    def _array_view(
        self, number: int, shape: list[int], strides: list[int], start: int
    ) -> np.ndarray:
        base = self.peer.table[number].obj
        if (
            not isinstance(base, np.ndarray)
            or math.prod(_shape(shape)) * base.itemsize > _MAX_VIEW_BYTES
        ):
            raise ValueError("a view of what is no array, or too large")
        dense = np.ascontiguousarray(base)  # as the other side's copy is, whatever ours is
        view: np.ndarray = np.ndarray(  # checks that the view lies within base
            tuple(shape), base.dtype, buffer=dense.data, offset=start, strides=tuple(strides)
        )
        view.flags.writeable = base.flags.writeable
        return view

    def _view(self, number: int, shape: list[int], stride: list[int], offset: int) -> torch.Tensor:
        base = self.peer.table[number].obj
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
        dense = base.detach().contiguous()  # as the other side's copy is, whatever ours is
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
            if not is_leaf:  # it may be changed in place, which a view of a leaf may not
                tensor = leaf.clone()
        if leaf is not None:
            self.leaves.append(leaf)
        if grad is not None:
            tensor.grad = self.decode(grad)
        return self._take(tensor, number, leaf)

    def _image(self, mode: str, size: list[int], buffer: int) -> Image.Image:
        width, height = _shape(size)
        data = bytes(self.buffers[buffer])
        if len(data) != width * height * _IMAGE_MODES[mode]:
            raise ValueError("an image with too many or too few pixels")
        return Image.frombytes(mode, (width, height), data)

    def _scalar(self, dtype: str, buffer: int) -> Any:
        return self.array(dtype, [1], buffer)[0]

    TAGS: ClassVar[dict[str, Callable[..., Any]]] = {
        "int": _int,
        "shared": _shared,
        "mine": lambda self, handle: self.peer.exports[handle],
        **{
            make.__name__: functools.partial(
                lambda make, self, number, body: self._container(make, number, body), make
            )
            for make in (list, set, bytearray, *MAPPINGS)
        },
        "defaultdict": _defaultdict,
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
        "ndarray": lambda self, number, body: self._take(self.array(*body), number),
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
    }


def _shape(sizes: Any) -> tuple[int, ...]:
    if type(sizes) is not list or any(type(n) is not int or n < 0 for n in sizes):
        raise ValueError("a shape is a list of whole numbers")
    return tuple(sizes)
