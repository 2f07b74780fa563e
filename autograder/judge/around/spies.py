"""What a student's code may use of a test's object, and what a test's mock runs for it.

`mock.patch("__main__.np", wraps=np)` gives the student's code a mock that leads to all of numpy,
and `side_effect=eval` a function that runs any text. In the judge's process such a function would
work for the student with the judge's rights. So while a student's code uses a mock, the mock asks
the student's process for what a library has. What a test itself has defined runs in the judge.
"""

from __future__ import annotations

import contextlib
import functools
import types
from collections.abc import Callable, Iterator
from typing import Any

from autograder.judge.around.patches import GUARDED, is_beside_tests, is_mock, may_read
from autograder.judge.errors import RefusedError
from autograder.judge.objects.stand_ins import Remote
from autograder.judge.policy import usable_by_candidates

_RUN = ("_mock_wraps", "_mock_side_effect")  # where a mock keeps what it runs
_DATA = frozenset({"builtins", "collections", "itertools"})

Ask = Callable[..., Any]
NameOf = Callable[[Any], tuple[str, str] | None]


@contextlib.contextmanager
def lent(target: Any, name_of: NameOf, ask: Ask) -> Iterator[None]:
    """Let a mock run a library's functions in the student's process for a while.

    Args:
        target: what the student's code uses; for anything but a mock nothing changes.
        name_of: returns the name of what a library defines; None for anything else.
        ask: makes a request of the student's process.
    """
    if isinstance(target, types.FunctionType):
        target = vars(target).get(GUARDED, target)
    if not is_mock(target):
        yield
        return
    own = vars(target)
    lending = {}
    with contextlib.ExitStack() as stack:
        for place in _RUN:
            value = own.get(place)
            if is_mock(value):
                stack.enter_context(lent(value, name_of, ask))
            elif callable(value) and not _is_exception(value) and not _is_a_tests(value):
                lending[place] = value, functools.partial(_run, value, name_of, ask)
        own.update({place: there for place, (_, there) in lending.items()})
        try:
            yield
        finally:
            for place, (value, there) in lending.items():
                if own.get(place) is there:  # the test's own code may have set another meanwhile
                    own[place] = value


def _run(function: Any, name_of: NameOf, ask: Ask, /, *args: Any, **kwargs: Any) -> Any:
    if name_of(function) is None:
        raise _refusal(function)
    return ask("apply", None, None, [function, list(args), kwargs])


def use(
    op: str,
    target: Any,
    name: str | None,
    args: list[Any],
    kwargs: dict[str, Any],
    name_of: NameOf,
) -> Any:
    """Do what a candidate may ask: call, iterate, index, measure, or read attributes.

    Raises:
        AttributeError: it may not.
    """
    match op:
        case "call":
            return target(*args, **kwargs)
        case "iter":
            return iter(target)
        case "special" if name in usable_by_candidates(target):
            if is_mock(target):  # its special methods may take no object
                return getattr(target, name)(*args)
            return getattr(type(target), name)(target, *args)
        case "getattr" if name and may_read(target, name):
            return _read(target, name, name_of)
    raise AttributeError(f"student code can't use {name or op} of a test's object")


def _read(target: Any, name: str, name_of: NameOf) -> Any:
    """Return an attribute of a test's object.

    Raises:
        RefusedError: a mock wraps a library's object, and this part of it has no name by which the
            student's process could be asked for it.
    """
    own = vars(target) if is_mock(target) else {}
    wrapped = own.get("_mock_wraps")
    is_set = name in own or name in own.get("_mock_children", ())
    if wrapped is not None and not is_set and not _is_a_tests(wrapped):
        part = getattr(wrapped, name)
        if name_of(part) is None:
            raise _refusal(part)
    return getattr(target, name)


def _refusal(part: Any) -> RefusedError:
    return RefusedError(
        f"a mock of the test wraps a library's {type(part).__name__}, which would run in the test's"
        " process for the student's code: wrap the library's module or its function, or a function"
        " of the test's own"
    )


def _is_exception(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, BaseException)


def _is_a_tests(value: Any) -> bool:
    """Whether a test, its helper module or the student has defined what is called."""
    if isinstance(value, functools.partial):
        return value.func is _run or _is_a_tests(value.func)
    if isinstance(value, types.MethodType):
        return _is_a_tests(value.__func__)
    if isinstance(value, types.FunctionType):
        of = value.__globals__.get("__name__")
        is_mock_opens = of == "unittest.mock" and "<locals>" in value.__qualname__
        return of == "__main__" or is_mock_opens or is_beside_tests(value.__globals__)
    if isinstance(value, types.BuiltinMethodType | types.MethodWrapperType):
        owner = value.__self__  # of items.pop and iter(items).__next__ the test's data
        is_data = not isinstance(owner, type | types.ModuleType | None)
        return is_data and type(owner).__module__ in _DATA
    kind = value if isinstance(value, type) else type(value)
    return kind.__module__ == "__main__" or issubclass(kind, Remote)
