"""Who owns a name in a test: the test, the instructor's notebook, Python, or the student.

`Names` is the namespace in which tests run. It looks a name up in this order: names that tests
bound; names that the instructor's imports, defs, classes and immutable constants bind; builtins;
and only then the student's namespace.
"""

from __future__ import annotations

import builtins
import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from autograder.judge.errors import JudgeError
from autograder.judge.source import Notebook
from autograder.judge.stand_ins import Remote
from autograder.judge.tensor import RemoteTensor

_PLAIN = (type(None), bool, int, float, str, bytes, complex)
_DATA = (Remote, np.generic, np.ndarray, torch.Tensor)


class Names(dict[str, Any]):
    """The namespace of the test cells.

    Args:
        notebook: what the instructor's source says about names.
        bound: the function that tells whether the student's namespace has a name.
        fetch: the function that gives a name's value in the student's namespace, and raises
            NameError if there is no such name.
    """

    def __init__(
        self, notebook: Notebook, bound: Callable[[str], bool], fetch: Callable[[str], Any]
    ) -> None:
        super().__init__()
        self._notebook = notebook
        self._bound = bound
        self._fetch = fetch
        self._crossing: dict[str, list[Any]] = {}
        self._put_back: set[str] = set()
        self._found: dict[str, Remote] = {}
        self.failed: dict[str, Exception] = {}
        self.visible = False
        self.given = True
        self._builtins = _Builtins(self.find)
        super().__setitem__("__builtins__", self._builtins)
        super().__setitem__("__name__", "__main__")
        super().__setitem__("__doc__", None)

    def add_builtins(self, **objects: Any) -> None:
        """Add builtins for tests; a test never gets a student's value of such a name."""
        self._builtins.update(objects)

    def own(self, name: str) -> Any:
        """Return the value of a name that tests or the instructor's notebook bound, or None."""
        return super().get(name)

    def find(self, name: str) -> Any:
        """Return a name's value in the student's namespace.

        Raises:
            KeyError: the student has no such name, or a student may not bind it.
            JudgeError: the instructor's own statement that binds the name failed.
        """
        if name in self.failed:
            error = self.failed[name]
            raise JudgeError(
                f"the instructor's own {name} can't be made here: {type(error).__name__}: {error}"
            )
        if name in self._notebook.protected:
            raise KeyError(name)
        if name in self._found:
            return self._found[name]
        try:
            value = self._fetch(name)
        except NameError:
            raise KeyError(name) from None
        if issubclass(type(value), Remote):  # any other value is a copy, soon out of date
            self._found[name] = value
        return value

    def forget(self, name: str) -> None:
        """Fetch a name again when it is next looked up."""
        self._found.pop(name, None)

    def take_crossing(self) -> dict[str, list[Any]]:
        """Return, once, names to bind ([value]) or to delete ([]) in the student's namespace.

        If only a test binds a name, its value goes as a copy, because the student's code must not
        change a test's `want`.
        """
        crossing, self._crossing = self._crossing, {}
        shared = self._notebook.crossing | self._notebook.state
        return {
            name: value if name in shared else [copied(item) for item in value]
            for name, value in crossing.items()
        }

    def put_back(self, crossing: dict[str, list[Any]]) -> None:
        """Send these names again, because the message that carried them was never sent."""
        unsent = {name: value for name, value in crossing.items() if name not in self._put_back}
        self._put_back |= (
            unsent.keys()
        )  # only once: a name that made the message fail would fail it again
        self._crossing = unsent | self._crossing

    def __setitem__(self, name: str, value: Any) -> None:
        self.forget(name)
        self._put_back.discard(name)
        if self.given or name not in self._notebook.state:
            super().__setitem__(name, value)
        if not self.given and (
            name in self._notebook.crossing | self._notebook.state
            or (self.visible and is_plain(value))
        ):
            self._crossing[name] = [value]

    def __delitem__(self, name: str) -> None:
        is_bound_here = super().__contains__(name)
        is_students = name in self._notebook.crossing or not is_bound_here
        if not is_bound_here and not self._bound(name):
            raise KeyError(name)
        self.forget(name)
        if is_bound_here:
            super().__delitem__(name)
        if is_students or name in self._crossing:
            self._crossing[name] = []

    def __missing__(self, name: str) -> Any:
        if name in self._builtins:
            raise KeyError(name)  # Python looks in the builtins next
        return self.find(name)

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (
            isinstance(name, str)
            and name not in self._builtins
            and name not in self._notebook.protected
            and self._bound(name)
        )

    def get(self, name: str, default: Any = None) -> Any:
        """Return the name's value, also from the student's namespace, or the default."""
        try:
            return self[name]
        except KeyError:
            return default


class _Builtins(dict[str, Any]):
    """Builtins for the tests' code, which look a missing name up in the student's namespace.

    The look-up is here, not in the globals, because a class body looks names up in its globals
    without calling a subclass's `__missing__`.
    """

    def __init__(self, find: Callable[[str], Any]) -> None:
        super().__init__(vars(builtins))
        self._find = find

    def __missing__(self, name: str) -> Any:
        return self._find(name)


def is_plain(value: Any) -> bool:
    """Return whether a value consists of data and stand-ins only."""
    kinds = {type(leaf) for leaf in _leaves(value)}
    return all(kind in _PLAIN or issubclass(kind, _DATA) for kind in kinds)


def copied(value: Any) -> Any:
    """Return a copy of plain data, in which stand-ins are the same objects."""
    memo = {}
    for leaf in _leaves(value):
        if issubclass(type(leaf), Remote | RemoteTensor):
            memo[id(leaf)] = leaf
        elif isinstance(leaf, torch.Tensor):  # deepcopy refuses one with a history
            memo[id(leaf)] = leaf.detach().clone().requires_grad_(leaf.requires_grad)
    return copy.deepcopy(value, memo)


def _leaves(value: Any) -> Iterator[Any]:
    """Yield what is in a value's lists, dicts, tuples and sets, or the value itself."""
    waiting, seen = [value], set()
    while waiting:
        item = waiting.pop()
        kind = type(item)
        if kind not in (list, tuple, set, frozenset, dict):
            yield item
        elif id(item) not in seen:
            seen.add(id(item))
            waiting.extend(item)
            if kind is dict:
                waiting.extend(item.values())
