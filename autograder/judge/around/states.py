"""Settings of the interpreter and of libraries, which hold in the student's code as in the test.

A test may change such a setting before a call: `np.errstate(all="raise")`,
`warnings.simplefilter("error")`, `os.environ["MODE"] = "test"`. What differs from the start crosses
with each request, holds while the request is served, and is put back afterwards.
"""

from __future__ import annotations

import contextlib
import decimal
import locale
import operator
import os
import re
import sys
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch._tensor_str import PRINT_OPTS

from autograder.judge.errors import RefusedError

Pairs = tuple[tuple[Any, Any], ...]


@dataclass(frozen=True)
class State:
    """One setting.

    Attributes:
        get: returns its value, in a form that `==` compares and that can cross.
        put: sets such a value, or the parts of it that crossed.
        parts: whether only the changed pairs of the value cross, because the rest may differ
            between the two processes. The value of a pair that is gone is None.
    """

    get: Callable[[], Any]
    put: Callable[[Any], None]
    parts: bool = False


def _numpy_errors() -> Pairs:
    return tuple(np.geterr().items())


def _put_numpy_errors(pairs: Pairs) -> None:
    np.seterr(**dict(pairs))


def _numpy_printing() -> Pairs:
    options: dict[str, Any] = dict(np.get_printoptions())
    formatter = options.pop("formatter", None)  # its functions would be the test's
    options.pop("override_repr", None)
    return (*options.items(), ("formatter", formatter and tuple(formatter.items())))


def _put_numpy_printing(pairs: Pairs) -> None:
    options = dict(pairs)
    options["formatter"] = options["formatter"] and dict(options["formatter"])
    np.set_printoptions(**options)


def _torch_printing() -> Pairs:
    return tuple(vars(PRINT_OPTS).items())


def _put_torch_printing(pairs: Pairs) -> None:
    vars(PRINT_OPTS).update(pairs)


def _torch_checks() -> tuple[bool, ...]:
    return (
        torch.is_anomaly_enabled(),
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.is_autocast_enabled("cpu"),
    )


def _put_torch_checks(flags: tuple[bool, ...]) -> None:
    anomaly, deterministic, warn_only, autocast = flags
    torch.autograd.set_detect_anomaly(anomaly)
    torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)
    torch.set_autocast_enabled("cpu", autocast)


def _filters() -> tuple[Any, ...]:
    global _last_filters
    now = tuple(warnings.filters)
    known, in_text = _last_filters
    if len(now) != len(known) or not all(map(operator.is_, now, known)):
        in_text = _in_text(now)
        _last_filters = now, in_text
    return in_text


_last_filters: tuple[tuple[Any, ...], tuple[Any, ...]] = ((), ())  # they change rarely


def _in_text(filters: tuple[Any, ...]) -> tuple[Any, ...]:
    def text(pattern: Any) -> Any:  # a compiled pattern can't cross
        return (pattern.pattern, pattern.flags) if isinstance(pattern, re.Pattern) else pattern

    return tuple(
        (action, text(message), kind, text(module), line)
        for action, message, kind, module, line in filters
    )


def _put_filters(filters: tuple[Any, ...]) -> None:
    def compiled(text: Any) -> Any:
        return re.compile(*text) if isinstance(text, tuple) else text

    warnings.filters[:] = [  # type: ignore[index]
        (action, compiled(message), kind, compiled(module), line)
        for action, message, kind, module, line in filters
    ]
    warnings._filters_mutated()  # type: ignore[attr-defined]


def _decimals() -> tuple[Any, ...]:
    context = decimal.getcontext()
    traps = tuple(signal for signal, on in context.traps.items() if on)
    return (context.prec, context.rounding, context.Emin, context.Emax, context.capitals,
            context.clamp, traps)  # fmt: skip


def _put_decimals(value: tuple[Any, ...]) -> None:
    context = decimal.getcontext()
    context.prec, context.rounding, context.Emin, context.Emax = value[:4]
    context.capitals, context.clamp = value[4:6]
    for signal in context.traps:
        context.traps[signal] = signal in value[6]


def _environment() -> Pairs:
    return tuple(os.environ._data.items())  # type: ignore[attr-defined]  # bytes, undecoded


def _put_environment(pairs: Pairs) -> None:
    for name, value in pairs:
        if value is None:
            os.environb.pop(name, None)
        else:
            os.environb[name] = value


class Modules:
    """Tells which modules can't be imported, because `sys.modules` has None in their place.

    A look at thousands of modules takes longer than a call. Therefore a judge looks only after
    something that might change `sys.modules` has asked for it (`patches.watch_modules`).

    Attributes:
        unchanged: what was missing before anybody asked; None: look each time.
    """

    unchanged: ClassVar[Pairs | None] = None

    @classmethod
    def missing(cls) -> Pairs:
        """The names of the modules that can't be imported."""
        if cls.unchanged is not None:
            return cls.unchanged
        return tuple([(name, True) for name, module in sys.modules.items() if module is None])


_hidden: dict[str, Any] = {}  # modules that can't be imported for a while


def _put_missing(pairs: Pairs) -> None:
    for name, missing in pairs:
        if missing:
            _hidden[name] = sys.modules.get(name)
            sys.modules[name] = None  # type: ignore[assignment]
        elif (module := _hidden.pop(name, None)) is not None:
            sys.modules[name] = module
        else:
            sys.modules.pop(name, None)


def _put_locale(name: str) -> None:
    locale.setlocale(locale.LC_ALL, name)


def _put_arguments(arguments: tuple[str, ...]) -> None:
    sys.argv[:] = arguments


STATES: dict[str, State] = {
    "numpy errors": State(_numpy_errors, _put_numpy_errors),
    "numpy printing": State(_numpy_printing, _put_numpy_printing),
    "torch printing": State(_torch_printing, _put_torch_printing),
    "torch checks": State(_torch_checks, _put_torch_checks),
    "filters of warnings": State(_filters, _put_filters),
    "recursion limit": State(sys.getrecursionlimit, sys.setrecursionlimit),
    "decimals": State(_decimals, _put_decimals),
    "locale": State(lambda: locale.setlocale(locale.LC_ALL), _put_locale),
    "environment": State(_environment, _put_environment, parts=True),
    "arguments": State(lambda: tuple(sys.argv), _put_arguments),
    "missing modules": State(Modules.missing, _put_missing, parts=True),
}


class Changes:
    """What tests have changed since the start, in the judge's process."""

    def __init__(self) -> None:
        self._start = {name: state.get() for name, state in STATES.items()}
        self._trace = sys.gettrace(), sys.getprofile()

    def current(self) -> dict[str, Any]:
        """Return the value of each setting."""
        return {name: state.get() for name, state in STATES.items()}

    def back_to(self, values: dict[str, Any]) -> None:
        """Put the settings back to values that `current` returned."""
        for name, state in STATES.items():
            now = state.get()
            if now != values[name]:
                state.put(_changed_pairs(now, values[name]) if state.parts else values[name])

    @contextmanager
    def of_the_instructors(self) -> Iterator[None]:
        """Let changes count as the start's: the student's process runs these statements too."""
        before = self.current()
        yield
        for name, value in self.current().items():
            if value != before[name]:
                self._start[name] = value

    def to_send(self) -> list[tuple[str, Any]]:
        """Return the settings that differ from the start: the name, and the value that crosses."""
        changed = []
        for name, state in STATES.items():
            now, start = state.get(), self._start[name]
            if now != start:
                changed.append((name, _changed_pairs(start, now) if state.parts else now))
        return changed

    def check(self) -> None:
        """Refuse what a test has set and can't hold in the student's process.

        Raises:
            RefusedError: there is such a setting.
        """
        if sys.gettrace() is not self._trace[0] or sys.getprofile() is not self._trace[1]:
            raise RefusedError(
                "a trace or profile function of a test doesn't see the student's code: count the "
                "calls with a function that you pass, or with mock.patch('__main__.f', wraps=f)"
            )
        if tracemalloc.is_tracing():
            raise RefusedError(
                "tracemalloc in a test doesn't see the student's code: measure inside a cell "
                "tagged in-kernel"
            )
        if not {"call", "log"}.isdisjoint(np.geterr().values()):
            raise RefusedError(
                "numpy's error modes 'call' and 'log' don't reach the student's code: use "
                "'raise' or 'warn'"
            )

    def end_of_test(self) -> None:
        """Take away what `check` refuses, which must not harm the next test."""
        sys.settrace(self._trace[0])
        sys.setprofile(self._trace[1])
        tracemalloc.stop()


def _changed_pairs(before: Pairs, now: Pairs) -> Pairs:
    old, new = dict(before), dict(now)
    gone = tuple((name, None) for name in old if name not in new)
    return tuple(pair for pair in now if old.get(pair[0]) != pair[1]) + gone


@contextmanager
def applied(changes: list[tuple[str, Any]]) -> Iterator[None]:
    """Let settings of a test hold for a while, in the student's process."""
    with contextlib.ExitStack() as back:
        for name, value in changes:
            state = STATES[name]
            before = state.get()
            if state.parts:
                known = dict(before)
                before = tuple((part, known.get(part)) for part, _ in value)
            back.callback(state.put, before)
            state.put(value)
        yield
