"""How an object's end is noted without running a line of Python."""

from __future__ import annotations

import weakref
from typing import Any, Self


class Numbered(weakref.ref[Any]):
    """A weak reference that knows its object's number, and goes into a list when the object ends.

    The list's own `append` is the callback. A function of ours could be interrupted by a signal,
    and what the test's handler raises there Python would swallow: the test would run on for ever.

    Args:
        obj: the object.
        gone: takes the reference when the object is gone.
        number: the object's.
    """

    __slots__ = ("number",)
    number: int

    def __new__(cls, obj: Any, gone: list[Numbered], number: int) -> Self:
        """As `weakref.ref`."""
        self = super().__new__(cls, obj, gone.append)
        self.number = number
        return self

    def __init__(self, obj: Any, gone: list[Numbered], _: int) -> None:
        super().__init__(obj, gone.append)  # type: ignore[call-arg]  # typeshed knows no second
