"""The module `__main__` in a test, and what unittest and doctest look for in it."""

from __future__ import annotations

import doctest
import types
import unittest
from typing import Any

from autograder.judge.errors import RefusedError
from autograder.judge.notebook.names import Names
from autograder.judge.notebook.source import Notebook
from autograder.judge.objects.stand_ins import Remote

# unittest looks for these; a student's would decide which tests run.
_HOOKS = frozenset({"load_tests", "setUpModule", "tearDownModule"})


class MainModule(types.ModuleType):
    """What `import __main__` gives a test: the names that the test sees."""

    def __init__(self, names: Names) -> None:
        super().__init__("__main__")
        types.ModuleType.__setattr__(self, "_names", names)

    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        return self._names

    def __getattr__(self, name: str) -> Any:
        names: Names = types.ModuleType.__getattribute__(self, "_names")
        if name in _HOOKS and name not in names.owned():
            raise AttributeError(name)
        try:
            return names[name]
        except KeyError:
            raise AttributeError(f"module '__main__' has no attribute '{name}'") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self._names.replace(name, value)

    def __delattr__(self, name: str) -> None:
        try:
            del self._names[name]
        except KeyError:
            raise AttributeError(name) from None

    def __dir__(self) -> list[str]:
        return list(self._names)


def install(main: MainModule, names: Names, notebook: Notebook) -> None:
    """Let unittest and doctest find in `__main__` what they find in a notebook.

    Args:
        main: the module.
        names: the names that tests see.
        notebook: the instructor's, whose docstrings are run: a student's must not run here.
    """
    load = unittest.TestLoader.loadTestsFromModule
    find = doctest.DocTestFinder.find

    def load_tests(self: Any, module: Any, *args: Any, **kwargs: Any) -> Any:
        suite = load(self, module, *args, **kwargs)
        if module is main and not suite.countTestCases():
            raise RefusedError(
                "unittest finds no TestCase that a test cell defines, and a student's own isn't "
                "run: define the TestCase in the test cell"
            )
        return suite

    def find_doctests(
        self: Any, obj: Any, name: Any = None, module: Any = None, globs: Any = None,
        extraglobs: Any = None,
    ) -> Any:  # fmt: skip
        if obj is main:
            wanted = list(notebook.docstrings)
        elif issubclass(type(obj), Remote):
            bound = names.names_of(obj)
            wanted = [text for text in notebook.docstrings if text.partition(".")[0] in bound]
            if not wanted:
                raise RefusedError(
                    "your own notebook has no docstring for this object, and a student's "
                    "docstring isn't run: write the examples as asserts"
                )
        else:
            return find(self, obj, name, module, globs, extraglobs)
        return [
            test
            for key in wanted
            if (test := _doctest(key, notebook.docstrings[key], names, extraglobs)).examples
        ]

    unittest.TestLoader.loadTestsFromModule = load_tests  # type: ignore[method-assign]
    doctest.DocTestFinder.find = find_doctests  # type: ignore[method-assign]


def _doctest(name: str, text: str, names: Names, more: Any) -> doctest.DocTest:
    scope = names.owned() | (more or {})
    return doctest.DocTestParser().get_doctest(text, scope, name, None, 0)
