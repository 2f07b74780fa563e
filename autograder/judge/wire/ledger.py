"""One end's tables: objects shared by value, objects known by handle, and histories."""

from __future__ import annotations

import collections
from typing import Any, TypeVar

from autograder.judge.wire.gone import Numbered
from autograder.judge.wire.gradients import Graphs
from autograder.judge.wire.messages import Change
from autograder.judge.wire.shared import SharedTable

_T = TypeVar("_T")


class Exports:
    """Objects of this side that the other side has a handle of."""

    def __init__(self) -> None:
        self._objects: dict[int, Any] = {}
        self._handles: dict[int, int] = {}
        self._last = 0

    def __getitem__(self, handle: int) -> Any:
        return self._objects[handle]

    def __contains__(self, obj: Any) -> bool:
        return id(obj) in self._handles

    def __len__(self) -> int:
        return len(self._objects)

    def handle(self, obj: Any) -> int:
        """Return the object's handle; a new one if it has none yet."""
        handle = self._handles.get(id(obj))
        if handle is None:
            self._last += 1
            handle = self._handles[id(obj)] = self._last
            self._objects[handle] = obj
        return handle

    def get(self, handle: int) -> Any:
        """Return the object, or None if the handle is unknown."""
        return self._objects.get(handle)

    def release(self, handle: int) -> None:
        """Forget an object whose handle the other side released; ignore unknown handles."""
        obj = self._objects.pop(handle, None)
        if obj is not None:
            self._handles.pop(id(obj), None)


class Ledger:
    """All of one end's tables, which are equal to the other end's after each message.

    Attributes:
        exports: this side's objects that the other side knows by handle.
        table: mutable objects of which both sides hold a copy.
        graphs: histories of results whose gradients the other side may ask for.
    """

    def __init__(self, parity: int) -> None:
        self.exports = Exports()
        self.table = SharedTable(parity)
        self.graphs = Graphs()
        self._imports: dict[int, Numbered] = {}
        self._gone: list[Numbered] = []
        self._released: list[int] = []
        self._named_tuples: dict[tuple[str, tuple[str, ...]], type] = {}

    def released(self, handle: int) -> None:
        """Forget a handle that the other side released; a negative handle is a history's."""
        if type(handle) is int and handle < 0:
            self.graphs.release(-handle)
        else:
            self.exports.release(handle)

    def named_tuple(self, name: str, fields: tuple[str, ...]) -> type:
        """Return a named tuple's class, which is made only once."""
        key = (name, fields)
        if key not in self._named_tuples:
            if len(fields) > 255 or len(self._named_tuples) > 1000:
                raise ValueError("too many named tuples, or of too many fields")
            self._named_tuples[key] = collections.namedtuple(name, fields)
        return self._named_tuples[key]

    def imported(self, handle: int) -> Any:
        """Return the stand-in for a handle, or None if no stand-in is alive."""
        ref = self._imports.get(handle)
        return ref() if ref is not None else None

    def remember(self, handle: int, stand_in: _T) -> _T:
        """Note the handle's only stand-in, and tell the other side when the stand-in is gone."""
        self._release_gone()
        if handle in self._released:
            self._released.remove(handle)
        self._imports[handle] = Numbered(stand_in, self._gone, handle)
        return stand_in

    def _release_gone(self) -> None:
        while self._gone:
            ref = self._gone.pop(0)
            if self._imports.get(ref.number) is ref:
                self.forget(ref.number)

    def forget(self, handle: int) -> None:
        """Release a handle whose stand-in is gone."""
        del self._imports[handle]
        self._released.append(handle)

    def take_changes(self, changes: list[Change], decoder: Any) -> None:
        """Take over what the other side changed in shared objects."""
        for change in changes:
            entry = self.table[change.number]
            if change.body is not None:
                decoder.fill(entry.obj, change.body)
            if change.state is not None:
                grad, requires_grad = change.state
                entry.obj.grad = decoder.decode(grad)
                entry.obj.requires_grad_(requires_grad)
            entry.unsettle()
