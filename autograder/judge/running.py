"""Runs the text of a test cell in the tests' namespace, as a notebook runs it."""

from __future__ import annotations

import ast
import asyncio
import inspect
import linecache
import math
import types
from typing import Any

from autograder.cells import Region, region_lines
from autograder.judge.libraries import TypeCalls
from autograder.judge.names import Names
from autograder.judge.source import parse


def run_test(source: str, name: str, names: Names) -> tuple[Any, bool]:
    """Run a test; return the last expression's value, and whether a notebook shows it."""
    filename = f"<{name}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    hidden = region_lines(source, Region.HIDDEN_TESTS)
    first_hidden = min(hidden, default=math.inf)
    value, shown = None, False
    for node in _tree(parse(source)).body:
        names.visible = node.lineno < first_hidden
        shown = isinstance(node, ast.Expr)
        value = _run(node, filename, names)
    return value, shown and value is not None and not source.rstrip().endswith(";")


def run_text(source: str, names: Names) -> Any:
    """Run the text of a magic, and return the last expression's value."""
    value = None
    for node in _tree(parse(source)).body:
        value = _run(node, "<magic>", names)
    return value


def run_statement(node: ast.stmt, names: Names) -> None:
    """Run a statement of the instructor's cells."""
    _run(_tree(ast.Module([node], [])).body[0], "<the instructor's cells>", names)


def _tree(tree: ast.Module) -> ast.Module:
    return ast.fix_missing_locations(TypeCalls().visit(tree))  # type: ignore[no-any-return]


def _run(node: ast.stmt, filename: str, names: Names) -> Any:
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    if isinstance(node, ast.Expr):
        code = compile(ast.Expression(node.value), filename, "eval", flags)
    else:
        code = compile(ast.Module([node], []), filename, "exec", flags)
    if code.co_flags & inspect.CO_COROUTINE:
        return _loop().run_until_complete(types.FunctionType(code, names)())
    return eval(code, names)


def _loop() -> asyncio.AbstractEventLoop:
    """Return the loop in which top-level `await` runs, the same in all cells as in a notebook."""
    global _kept
    if _kept is None:
        _kept = asyncio.new_event_loop()
    return _kept


_kept: asyncio.AbstractEventLoop | None = None
