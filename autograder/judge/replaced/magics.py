"""A test's magics. They never reach the student's process, because their text is the test's."""

from __future__ import annotations

import contextlib
import io
import re
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from IPython.core.magics.execution import TimeitResult
from IPython.utils.capture import CapturedIO

from autograder.judge.errors import RefusedError
from autograder.judge.notebook.names import Names

_NOTHING = frozenset({"matplotlib", "config", "load_ext", "autoreload"})
_RUN_THE_REST = frozenset({"time", "timeit", "prun"})
_OPTIONS = re.compile(r"\s*(-(o|q|c|t|[nrp]\s*\d+)\s+)*")


class Magics:
    """The object that `get_ipython()` returns in a test.

    Args:
        names: the tests' namespace.
        execute: the function that runs source text in it, and returns the last value.

    Attributes:
        user_ns: the tests' namespace.
    """

    def __init__(self, names: Names, execute: Callable[[str], Any]) -> None:
        self.user_ns = self.user_global_ns = names
        self._execute = execute

    def run_line_magic(self, name: str, line: str, *_: Any, **__: Any) -> Any:
        """Run x once for `%time x`; do nothing for `%matplotlib` and the like."""
        if name == "timeit":
            return self._timed(line)
        if name in _RUN_THE_REST:
            return self._execute(line)
        if name not in _NOTHING:
            self._refuse("%" + name)
        return None

    def run_cell_magic(self, name: str, line: str, cell: str) -> Any:
        """Run the cell for `%%time` and `%%capture`."""
        if name == "capture":
            return self._capture(line, cell)
        if name not in _RUN_THE_REST:
            self._refuse("%%" + name)
        return self._execute(cell)

    def run_cell(self, source: str, *_: Any, **__: Any) -> Any:
        """Run source text; the answer has `result`, the last value, as IPython's has."""
        return SimpleNamespace(result=self._execute(source), success=True)

    def ev(self, expression: str) -> Any:
        """Return an expression's value."""
        return self._execute(expression)

    ex = ev

    def push(self, variables: dict[str, Any], *_: Any, **__: Any) -> None:
        """Bind names."""
        for name, value in variables.items():
            self.user_ns[name] = value

    def system(self, command: str) -> None:
        """Refuse `!command`."""
        raise RefusedError(
            f"!{command} can't be used in a test, whose folder isn't the student's: read the "
            "files with open() or os.listdir(), and call the student's functions"
        )

    getoutput = getoutput_detailed = system_piped = system

    def _timed(self, line: str) -> Any:
        """Run the statement of `%timeit` once; with `-o` return how long it took."""
        match = _OPTIONS.match(line)
        options = match.group() if match else ""
        start = time.perf_counter()
        self._execute(line[len(options) :])
        took = time.perf_counter() - start
        return TimeitResult(1, 1, took, took, [took], 0, 3) if "-o" in options else None

    def _capture(self, line: str, cell: str) -> None:
        """Keep what the cell prints in an object of the given name, for `%%capture out`."""
        words = line.split()
        out, err = io.StringIO(), io.StringIO()
        with contextlib.ExitStack() as stack:
            if "--no-stdout" not in words:
                stack.enter_context(contextlib.redirect_stdout(out))
            if "--no-stderr" not in words:
                stack.enter_context(contextlib.redirect_stderr(err))
            try:
                self._execute(cell)
            finally:
                for name in words:
                    if name.isidentifier():
                        self.user_ns[name] = CapturedIO(out, err, [])

    def _refuse(self, what: str) -> None:
        raise RefusedError(f"{what} can't be used in a test: write it in Python")
