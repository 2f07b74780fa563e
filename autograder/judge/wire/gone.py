"""Notes that an object is gone, without running Python code."""

from __future__ import annotations

import weakref
from typing import Any, Self


class Numbered(weakref.ref[Any]):
    """A weak reference that has its object's number and enters a list when the object is gone.

    The list's own `append` is the callback. A callback in Python could be interrupted by a signal.
    Python would then swallow the error that the test's handler raises, and the test would run on.

    Args:
        obj: the object.
        gone: the list that receives the reference when the object is gone.
        number: the object's number.
    """

    __slots__ = ("number",)
    number: int

    def __new__(cls, obj: Any, gone: list[Numbered], number: int) -> Self:
        """Do as `weakref.ref`."""
        self = super().__new__(cls, obj, gone.append)
        self.number = number
        return self

    def __init__(self, obj: Any, gone: list[Numbered], _: int) -> None:
        super().__init__(obj, gone.append)  # type: ignore[call-arg]  # typeshed lacks the 2nd
