"""A test's magics. They never reach the student's process, because their text is the test's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograder.judge.errors import RefusedError

_NOTHING = frozenset({"matplotlib", "config", "load_ext", "autoreload"})
_RUN_THE_REST = frozenset({"time", "timeit", "prun", "capture"})


class Magics:
    """The object that `get_ipython()` returns in a test.

    Args:
        execute: the function that runs source text in the tests' namespace.
    """

    def __init__(self, execute: Callable[[str], Any]) -> None:
        self._execute = execute

    def run_line_magic(self, name: str, line: str, *_: Any, **__: Any) -> None:
        """Run x once for `%time x`; do nothing for `%matplotlib` and the like."""
        if name in _RUN_THE_REST:
            self._execute(line)
        elif name not in _NOTHING:
            self._refuse("%" + name)

    def run_cell_magic(self, name: str, line: str, cell: str) -> None:
        """Run the cell for `%%time` and `%%capture`."""
        if name not in _RUN_THE_REST:
            self._refuse("%%" + name)
        self._execute(cell)

    def system(self, command: str) -> None:
        """Refuse `!command`."""
        self._refuse("!")

    getoutput = system

    def _refuse(self, what: str) -> None:
        raise RefusedError(f"{what} can't be used in a test: write it in Python")
