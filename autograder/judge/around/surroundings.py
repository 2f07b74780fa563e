"""What surrounds a call and isn't an argument: settings, patches, who hears of warnings and logs.

`Surroundings` collects it in the judge's process before each request. `held` lets it hold in the
student's process for the length of the request.
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from autograder.judge.around.patches import Patches, guarded
from autograder.judge.around.states import Changes
from autograder.judge.errors import STUDENT_MODULE

_MOST_TEXT = 10_000
_DEFAULT = (logging.NOTSET, True, False, ())


class Surroundings:
    """What tests have changed around the student's code.

    Args:
        show: as for `Patches`.
    """

    def __init__(self, show: Callable[[str, Any], None]) -> None:
        self.patches = Patches(show)
        self.changes = Changes()
        self._warnings = _Warnings()
        self._logs = _Logs()

    def install(self) -> None:
        """Begin to look."""
        self._logs.install()
        self.patches.install()

    def to_send(self, *, strict: bool) -> tuple[Any, ...] | None:
        """Return what is changed now; None if nothing is.

        Args:
            strict: whether to refuse what can't hold in the student's process.

        Raises:
            RefusedError: there is such a change.
        """
        if strict:
            self.changes.check()
        parts = (
            tuple(self.changes.to_send()),
            tuple(self.patches.to_send()),
            self._warnings.to_send(),
            tuple(self._logs.to_send()),
        )
        return parts if any(parts) else None

    @contextmanager
    def of_the_instructors(self) -> Iterator[None]:
        """Let changes count as the start's: the student's process runs these statements too."""
        with self.changes.of_the_instructors(), self.patches.unwatched():
            yield

    def current(self) -> tuple[Any, Any]:
        """Return what holds now, for `back_to`."""
        return self.changes.current(), self.patches.current()

    def back_to(self, before: tuple[Any, Any]) -> None:
        """Take back what a test changed that failed, so that it harms no other test."""
        settings, places = before
        self.patches.back_to(places)
        self.changes.back_to(settings)
        self._warnings.back_to_start()
        self._logs.back_to_start()


class _Warnings:
    """Whether a test records warnings: those of the student's code belong to the record."""

    def __init__(self) -> None:
        self._start = self._showing()
        self._show = guarded(
            _show_warning, "the showing of warnings", lambda: self._showing() != self._start
        )

    @staticmethod
    def _showing() -> tuple[Any, Any]:
        return warnings.showwarning, warnings._showwarnmsg_impl  # type: ignore[attr-defined]

    def to_send(self) -> Any:
        return self._show if self._showing() != self._start else None

    def back_to_start(self) -> None:
        warnings.showwarning, warnings._showwarnmsg_impl = self._start  # type: ignore[attr-defined]


def _show_warning(names: tuple[str, ...], text: str, file: str, line: int) -> None:
    kind = _warning_class(names)
    message = warnings.WarningMessage(kind(text), kind, str(file), int(line))
    warnings._showwarnmsg(message)  # type: ignore[attr-defined]


def _warning_class(names: tuple[str, ...]) -> type[Warning]:
    """Return the first known class of warnings; a student's own class gets a class of its name."""
    for position, name in enumerate(names):
        module, _, qualname = str(name).partition(":")
        kind = vars(sys.modules[module]).get(qualname) if module in sys.modules else None
        if isinstance(kind, type) and issubclass(kind, Warning):
            if position == 0:
                return kind
            own = str(names[0]).rpartition(":")[2][:100]
            return type(own, (kind,), {"__module__": STUDENT_MODULE})
    return Warning


class _Logs:
    """The loggers that tests have set up: `assertLogs`, a handler, a level."""

    def __init__(self) -> None:
        self._start: dict[logging.Logger, Any] = {}
        self._hear: dict[logging.Logger, Any] = {}

    def install(self) -> None:
        plain = logging.Logger.__setattr__

        def set_attribute(logger: logging.Logger, name: str, value: Any) -> None:
            self._note(logger)
            plain(logger, name, value)

        logging.Logger.__setattr__ = set_attribute  # type: ignore[assignment]
        for name in ("addHandler", "removeHandler"):
            setattr(logging.Logger, name, self._noting(getattr(logging.Logger, name)))

    def _noting(self, change: Callable[..., None]) -> Callable[..., None]:
        def changing(logger: logging.Logger, handler: logging.Handler) -> None:
            self._note(logger)
            change(logger, handler)

        return changing

    def _note(self, logger: logging.Logger) -> None:
        if logger not in self._start and _near_a_test(sys._getframe(2)):
            made = vars(logger).keys() >= {"level", "propagate", "disabled", "handlers"}
            self._start[logger] = _set_up(logger) if made else _DEFAULT

    def to_send(self) -> Iterator[tuple[Any, ...]]:
        for logger, start in self._start.items():
            if (now := _set_up(logger)) != start:
                level, propagate, disabled, handlers = now
                hear = self._hears(logger) if handlers != start[3] else None
                name = "" if logger is logging.root else logger.name
                yield name, level, propagate, disabled, hear

    def _hears(self, logger: logging.Logger) -> Any:
        if logger not in self._hear:

            def hear(name: str, level: int, text: str, file: str, line: int, where: str) -> None:
                record = logging.LogRecord(name, level, file, line, text, None, None, where)
                for handler in logger.handlers:
                    if level >= handler.level:
                        handler.handle(record)

            self._hear[logger] = hear
        return self._hear[logger]

    def back_to_start(self) -> None:
        for logger, start in self._start.items():
            level, logger.propagate, logger.disabled, handlers = start
            logger.setLevel(level)
            logger.handlers = list(handlers)


def _set_up(logger: logging.Logger) -> tuple[Any, ...]:
    return logger.level, logger.propagate, logger.disabled, tuple(logger.handlers)


def _near_a_test(frame: Any) -> bool:
    """Return whether a test's own code runs a few frames further out."""
    for _ in range(6):
        if frame is None or "importlib" in (name := str(frame.f_globals.get("__name__"))):
            return False
        if name in ("__main__", "unittest._log"):
            return True
        frame = frame.f_back
    return False
