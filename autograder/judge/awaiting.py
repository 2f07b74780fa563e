"""What `await` and `async with` mean for a student's objects: their code runs on its own side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def awaited(remote: Any) -> Iterator[Any]:
    """Run a student's coroutine to its end, as `__await__`."""
    yield from ()
    return remote._ask_("await")  # type: ignore[no-any-return]


async def leave_later(remote: Any, *_: Any) -> None:
    """End an `async with`, as `__aexit__`; the answer can't swallow the test's exception."""
    await remote._ask_("special", "__aexit__", None, None, None)
