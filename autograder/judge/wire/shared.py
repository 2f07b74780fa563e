"""The table of mutable objects that both processes hold a copy of.

Every list, dict, array, tensor or model that crosses gets a number that both sides know. Each
message carries what the sender changed since its last message. So the other side sees a change in
place, an argument that comes back is the same object, and `config["lr"] = 5` in a test reaches the
student's function. An object stays in the table while both sides still hold it.
"""

from __future__ import annotations

import collections
import operator
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from autograder.judge.values.registry import REGISTRY

MAPPINGS: tuple[type, ...] = (
    dict,
    collections.OrderedDict,
    collections.Counter,
    collections.defaultdict,
)


def is_namedtuple(kind: type) -> bool:
    """Return whether a class is a named tuple that adds nothing but its fields."""
    fields = getattr(kind, "_fields", None)
    return (
        kind.__bases__ == (tuple,)
        and isinstance(fields, tuple)
        and all(type(name) is str for name in fields)
        and not any(
            callable(value) for name, value in vars(kind).items() if not name.startswith("_")
        )
    )


def plain_tensor(tensor: torch.Tensor) -> torch.Tensor:
    """Return the tensor without its subclass, so that no code of the subclass runs."""
    if type(tensor) in (torch.Tensor, nn.Parameter):
        return tensor
    return torch.Tensor.as_subclass(tensor, torch.Tensor)


def tensor_bytes(tensor: torch.Tensor) -> np.ndarray:
    """Return a dense tensor's elements in row-major order, as an array of bytes."""
    flat = tensor.detach().resolve_conj().resolve_neg().cpu().contiguous().reshape(-1)
    if flat.numel() and flat.stride(0) != 1:  # one expanded element counts as contiguous
        flat = torch.empty(flat.numel(), dtype=flat.dtype).copy_(flat)
    return flat.view(torch.uint8).numpy()


def memory_key(obj: torch.Tensor | np.ndarray) -> int:
    """Return a key that is equal for tensors, or arrays, that share memory; 0 for no memory."""
    if isinstance(obj, torch.Tensor):
        return obj.untyped_storage().data_ptr()
    root: Any = obj
    while getattr(root, "base", None) is not None:
        root = root.base
    return id(root)


class Shared:
    """One object that both sides hold.

    Attributes:
        number: the object's key in both tables.
        obj: this side's copy.
        leaf: the tensor that gradients are taken with respect to, if `obj` requires gradients.
        guard: in the judge, the attribute in which a test's own object holds this object, if
            `guards` decides what the other side may write into it.
    """

    __slots__ = ("_common", "_grad", "_rules", "guard", "leaf", "number", "obj")

    def __init__(self, number: int, obj: Any, leaf: torch.Tensor | None = None) -> None:
        self.number = number
        self.obj = obj
        self.leaf = leaf
        self.guard: str | None = None
        self._rules = REGISTRY.mutable(obj)
        self._common: Any = None
        self._grad: Any = None

    @property
    def settled(self) -> bool:
        """Whether the state that both sides agree on has been noted."""
        return self._common is not None

    def settle(self) -> None:
        """Note that both sides now agree on this object's state."""
        self._common = _state(self.obj)
        self._grad = _grad_state(self.obj)

    def unsettle(self) -> None:
        """Forget the noted state, because a new state crosses; `settle` notes the new state."""
        self._common = None

    def changes(self) -> tuple[bool, bool]:
        """Return whether the contents, and whether the gradient, changed since `settle`."""
        if self._common is None:
            return False, False
        now = _state(self.obj, copy=False)
        same = self._rules.same if self._rules is not None else _same
        return not same(now, self._common), not _same_grad(_grad_state(self.obj), self._grad)

    def held_elsewhere(self) -> bool:
        """Return whether anything but the table still refers to the object or its memory."""
        if sys.getrefcount(self.obj) > _ALONE:
            return True
        if isinstance(self.obj, torch.Tensor):
            storage = self.obj.untyped_storage()
            return bool(torch._C._storage_Use_Count(storage._cdata) > _STORAGE_ALONE)
        return False


class SharedTable:
    """This side's part of the table.

    Args:
        parity: 0 in the judge, 1 in the candidate, so that no number is used twice.
    """

    def __init__(self, parity: int) -> None:
        self._next = parity
        self._by_number: dict[int, Shared] = {}
        self._by_id: dict[int, Shared] = {}
        self._by_memory: dict[int, Shared] = {}

    def __len__(self) -> int:
        return len(self._by_number)

    def __getitem__(self, number: int) -> Shared:
        return self._by_number[number]

    def add(self, obj: Any, number: int | None = None, leaf: torch.Tensor | None = None) -> Shared:
        """Add an object; without a number it gets a new number."""
        if number is None:
            self._next += 2
            number = self._next
        elif number in self._by_number:
            raise KeyError(f"shared object {number} is already in use")
        entry = Shared(number, obj, leaf)
        self._by_number[number] = entry
        self._by_id[id(obj)] = entry
        holds_memory = isinstance(obj, torch.Tensor | np.ndarray) and memory_key(obj)
        if holds_memory and self.owner_of_memory(obj) is None:
            self._by_memory[memory_key(obj)] = entry
        return entry

    def find(self, obj: Any) -> Shared | None:
        """Return the entry of this very object, or None."""
        return self._by_id.get(id(obj))

    def owner_of_memory(self, obj: torch.Tensor | np.ndarray) -> Shared | None:
        """Return the entry whose memory a tensor or an array uses, or None."""
        key = memory_key(obj)
        entry = self._by_memory.get(key)
        # `p.data = …` or `m.double()` gives a tensor new memory; others may use its old memory now.
        return entry if entry is not None and memory_key(entry.obj) == key else None

    def drop(self, number: int) -> None:
        """Forget an object; unknown numbers are ignored."""
        entry = self._by_number.pop(number, None)
        if entry is None:
            return
        self._by_id.pop(id(entry.obj), None)
        if isinstance(entry.obj, torch.Tensor | np.ndarray):
            self._by_memory = {k: e for k, e in self._by_memory.items() if e is not entry}

    def sweep(self) -> list[int]:
        """Drop objects that only the table holds; return their numbers for the other side."""
        gone = []
        for number in list(self._by_number):  # containers come before their contents
            if not self._by_number[number].held_elsewhere():
                self.drop(number)
                gone.append(number)
        return gone

    def settle(self) -> None:
        """Note the state of every object on whose state both sides have just agreed."""
        for entry in self._by_number.values():
            if not entry.settled:
                entry.settle()

    def changed(self) -> Iterator[tuple[Shared, bool, bool]]:
        """Yield entries to send: (entry, contents changed, gradient changed)."""
        for entry in list(self._by_number.values()):
            contents, grad = entry.changes()
            if contents or grad:
                yield entry, contents, grad


def _state(obj: Any, *, copy: bool = True) -> Any:
    """Return what tells whether the object changed: its elements, or its bytes."""
    if isinstance(obj, list | set | collections.deque):
        return list(obj)
    if isinstance(obj, dict):
        return [*obj.keys(), *obj.values()]
    if isinstance(obj, bytearray):
        return bytes(obj)
    if isinstance(obj, np.ndarray):
        if obj.dtype.hasobject:
            return obj.ravel().tolist()
        if not obj.itemsize:
            return []
        data = np.ascontiguousarray(obj).reshape(-1).view(np.uint8)
        return obj.shape, data.copy() if copy and data.base is not None else data
    if isinstance(obj, torch.Tensor):
        bits = _bits(obj)
        return (obj.shape, obj.dtype, obj.device), bits.clone() if copy else bits
    if (mutable := REGISTRY.mutable(obj)) is not None:
        return mutable.state(obj, copy)
    return [*vars(obj).keys(), *vars(obj).values()]


def _same(now: Any, before: Any) -> bool:
    if isinstance(now, bytes):
        return bool(now == before)
    if isinstance(now, list):
        return len(now) == len(before) and all(map(operator.is_, now, before))
    if now[0] != before[0]:
        return False
    if isinstance(now[1], torch.Tensor):
        return torch.equal(now[1], before[1])
    return bool(np.array_equal(_words(now[1]), _words(before[1])))


def _bits(tensor: torch.Tensor) -> torch.Tensor:
    """Return a tensor's elements as whole numbers: NaN equals itself, and 0 is not -0.

    Every message compares all shared tensors, so small tensors take no detour over numpy.
    """
    data = plain_tensor(tensor).detach()
    whole = _WHOLE.get(data.element_size())
    if whole is None or data.is_conj() or data.is_neg() or data.device.type != "cpu":
        return torch.from_numpy(tensor_bytes(data))
    if data.is_contiguous() and data.nbytes % 8 == 0:
        return data.view(-1).view(torch.int64)  # the widest type compares fastest
    return data.view(whole)


def _words(data: np.ndarray) -> np.ndarray:
    """Return bytes as words of eight, if the length allows, because words compare faster."""
    return data.view(np.uint64) if data.size % 8 == 0 and data.flags.c_contiguous else data


def _grad_state(obj: Any) -> Any:
    """Return the gradient, its version and requires_grad; None if they can't change."""
    if not isinstance(obj, torch.Tensor) or not obj.is_leaf:
        return None
    return obj.grad, None if obj.grad is None else obj.grad._version, obj.requires_grad


def _same_grad(now: Any, before: Any) -> bool:
    if now is None or before is None:
        return now is before
    return now[0] is before[0] and now[1:] == before[1:]


def _calibrate() -> tuple[int, int]:
    """Count, as `held_elsewhere` does, the references of an object that only its entry holds."""
    entry = Shared(0, [])
    alone = sys.getrefcount(entry.obj)
    entry = Shared(0, torch.empty(1))
    storage = entry.obj.untyped_storage()
    return alone, int(torch._C._storage_Use_Count(storage._cdata))


_WHOLE = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
_ALONE, _STORAGE_ALONE = _calibrate()
