"""What `await` and `async with` mean for a student's objects: their code runs on its own side."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any


def awaited(remote: Any) -> Iterator[Any]:
    """Run a student's coroutine to its end, as `__await__`."""
    yield from ()
    return remote._ask_("await")  # type: ignore[no-any-return]


async def leave_later(remote: Any, *_: Any) -> None:
    """End an `async with`, as `__aexit__`; the answer can't swallow the test's exception."""
    await remote._ask_("special", "__aexit__", None, None, None)


# The student's process.


def finish(target: Any) -> Any:
    """Run something awaitable to its end, in the loop in which the student's cells run."""
    loop = asyncio.get_event_loop_policy().get_event_loop()
    return loop.run_until_complete(_awaiting(target))


async def _awaiting(target: Any) -> Any:
    return await target


async def gathered(targets: list[Any], options: dict[str, Any]) -> Any:
    """Do as `asyncio.gather`."""
    return await asyncio.gather(*targets, **options)


async def limited(target: Any, seconds: float | None) -> Any:
    """Do as `asyncio.wait_for`."""
    return await asyncio.wait_for(target, seconds)
