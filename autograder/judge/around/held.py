"""What a test has changed around a call holds in the student's process while the call runs."""

from __future__ import annotations

import builtins
import contextlib
import importlib
import io
import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from autograder.judge.around.patches import MISSING
from autograder.judge.around.states import applied

_MOST_TEXT = 10_000


class Held:
    """What a test has changed, in the student's process, for the length of one request.

    Args:
        parts: what `Surroundings.to_send` returned, after it crossed.
    """

    def __init__(self, parts: tuple[Any, ...]) -> None:
        self._states, patches, self._show, self._loggers = parts
        self._installed = Installed(patches)

    @contextmanager
    def active(self) -> Iterator[None]:
        """Let everything hold for a while."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(applied(self._states))
            if self._show is not None:
                stack.enter_context(_telling_warnings(self._show))
            for logger in self._loggers:
                stack.enter_context(_telling_logs(*logger))
            stack.enter_context(self._installed.active())
            yield

    def suspended(self) -> contextlib.AbstractContextManager[Any]:
        """Take the patches away for a while, because the code that runs isn't the student's."""
        return self._installed.suspended()


@contextmanager
def _telling_warnings(show: Callable[..., Any]) -> Iterator[None]:
    def tell(message: Any, kind: type, file: str, line: int, *_: Any) -> None:
        names = tuple(f"{base.__module__}:{base.__qualname__}" for base in kind.__mro__)
        show(names, str(message)[:_MOST_TEXT], str(file), line)

    before, warnings.showwarning = warnings.showwarning, tell  # type: ignore[assignment]
    try:
        yield
    finally:
        warnings.showwarning = before


@contextmanager
def _telling_logs(
    name: str, level: int, propagate: bool, disabled: bool, hear: Callable[..., Any] | None
) -> Iterator[None]:
    logger = logging.getLogger(name)
    before = logger.level, logger.propagate, logger.disabled, logger.handlers
    logger.propagate, logger.disabled = propagate, disabled
    logger.setLevel(level)
    if hear is not None:
        logger.handlers = [_Teller(hear)]
    try:
        yield
    finally:
        level, logger.propagate, logger.disabled, logger.handlers = before
        logger.setLevel(level)


class _Teller(logging.Handler):
    """Tells a test of each record."""

    def __init__(self, hear: Callable[..., Any]) -> None:
        super().__init__()
        self._hear = hear

    def emit(self, record: logging.LogRecord) -> None:
        """Tell the test."""
        text = record.getMessage()[:_MOST_TEXT]
        self._hear(
            record.name, record.levelno, text, record.pathname, record.lineno, record.funcName
        )


class Installed:
    """A test's patches in the student's process, for the length of one request.

    Args:
        patches: what `Patches.to_send` returned, after it crossed.
    """

    def __init__(self, patches: tuple[Any, ...]) -> None:
        self._places = [
            (owner, name, _value(name, kind, value))
            for path, name, kind, value in patches
            for owner in _owners(path, name)
        ]

    @contextmanager
    def active(self) -> Iterator[None]:
        """Put the patches in their places for a while."""
        with self._swapped(self._places) as originals:
            self._originals = originals
            yield

    def suspended(self) -> AbstractContextManager[Any]:
        """Take the patches away for a while, because the code that runs isn't the student's."""
        return self._swapped(self._originals)

    @contextmanager
    def _swapped(self, places: list[tuple[Any, str, Any]]) -> Iterator[list[tuple[Any, str, Any]]]:
        before = [(owner, name, vars(owner).get(name, MISSING)) for owner, name, _ in places]
        try:
            for place in places:
                _set(*place)
            yield before
        finally:
            for place in before:
                _set(*place)


class _Input(io.TextIOBase):
    """A text stream whose lines a test gives."""

    def __init__(self, readline: Callable[[], Any]) -> None:
        self._readline = readline

    def readline(self, _size: int | None = -1, /) -> str:  # type: ignore[override]
        """Return the next line."""
        return str(self._readline())

    def read(self, _size: int | None = -1, /) -> str:
        """Return all lines that are left."""
        return "".join(iter(self.readline, ""))

    def readable(self) -> bool:
        """Return True."""
        return True


def _owners(path: str, name: str) -> list[Any]:
    """Return what has the attribute; IPython puts an `open` of its own into the notebook."""
    main = sys.modules["__main__"]
    own = getattr(vars(main).get(name), "__module__", None) if path == "builtins" else None
    is_ipythons = isinstance(own, str) and own.startswith("IPython.")
    return [_owner(path), main] if is_ipythons else [_owner(path)]


def _owner(path: str) -> Any:
    module, _, qualname = path.partition(":")
    owner: Any = importlib.import_module(module)
    for part in qualname.split(".") if qualname else ():
        owner = getattr(owner, part)
    return owner


def _value(name: str, kind: str, value: Any) -> Any:
    if kind == "gone":
        return MISSING
    if name == "__import__":
        return _importer(value)
    return _Input(value) if kind == "stdin" else value


def _importer(ask: Callable[..., Any]) -> Callable[..., Any]:
    """Return an `__import__` that asks the test about the student's own import statements only."""
    plain = builtins.__import__

    def find(
        name: str, scope: Any = None, local: Any = None, parts: Any = (), level: int = 0
    ) -> Any:
        if not scope or scope.get("__name__") != "__main__" or level:
            return plain(name, scope, local, parts, level)
        return ask(name, None, None, tuple(parts or ()), level)

    return find


def _set(owner: Any, name: str, value: Any) -> None:
    if value is not MISSING:
        setattr(owner, name, value)
    elif name in vars(owner):
        delattr(owner, name)
