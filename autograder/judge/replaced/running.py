"""Runs the text of a test cell in the tests' namespace, as a notebook runs it."""

from __future__ import annotations

import ast
import asyncio
import inspect
import linecache
import math
import types
from collections.abc import Callable, Iterator
from typing import Any

from autograder.cells import Region, region_lines
from autograder.judge.notebook.names import Names
from autograder.judge.notebook.source import parse
from autograder.judge.replaced.libraries import TypeCalls


def run_test(
    source: str, name: str, names: Names, note: Callable[[Any, str], None]
) -> tuple[Any, bool]:
    """Run a test; return the last expression's value, and whether a notebook shows it.

    Args:
        source: the cell's text.
        name: what tracebacks call the cell.
        names: the tests' namespace.
        note: is told of each attribute that a statement will set, before it does.
    """
    filename = f"<{name}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    hidden = region_lines(source, Region.HIDDEN_TESTS)
    first_hidden = min(hidden, default=math.inf)
    nodes = _tree(parse(source)).body

    def before(node: ast.stmt) -> None:
        # All of it, because a later turn of a loop would send what a hidden part bound.
        names.visible = (node.end_lineno or node.lineno) < first_hidden
        for owner, attribute in _set_by(node, names):
            note(owner, attribute)

    value = _run(nodes, filename, names, before)
    shown = bool(nodes) and isinstance(nodes[-1], ast.Expr)
    return value, shown and value is not None and not source.rstrip().endswith(";")


def _set_by(node: ast.stmt, names: Names) -> Iterator[tuple[Any, str]]:
    """Yield the attributes of libraries' objects that a statement sets: `torch.Tensor.sum = f`."""
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute) and not isinstance(part.ctx, ast.Load):
            path, owner = [], part.value
            while isinstance(owner, ast.Attribute):
                path.append(owner.attr)
                owner = owner.value
            value = names.own(owner.id) if isinstance(owner, ast.Name) else None
            if isinstance(value, type | types.ModuleType):
                for attribute in reversed(path):
                    value = getattr(value, attribute, None)
                yield value, part.attr


def run_text(source: str, names: Names) -> Any:
    """Run the text of a magic, and return the last expression's value."""
    return _run(_tree(parse(source)).body, "<magic>", names)


def run_statement(node: ast.stmt, names: Names) -> None:
    """Run a statement of the instructor's cells."""
    _run(_tree(ast.Module([node], [])).body, "<the instructor's cells>", names)


def _tree(tree: ast.Module) -> ast.Module:
    return ast.fix_missing_locations(TypeCalls().visit(tree))  # type: ignore[no-any-return]


def _run(
    nodes: list[ast.stmt],
    filename: str,
    names: Names,
    before: Callable[[ast.stmt], None] = lambda _: None,
) -> Any:
    """Run statements one by one, in a loop of asyncio if one of them awaits."""
    codes = [(node, _compiled(node, filename)) for node in nodes]
    if any(code.co_flags & inspect.CO_COROUTINE for _, code in codes):
        return _loop().run_until_complete(_run_later(codes, names, before))
    value = None
    for node, code in codes:
        before(node)
        value = eval(code, names)
    return value


async def _run_later(
    codes: list[tuple[ast.stmt, types.CodeType]], names: Names, before: Callable[[ast.stmt], None]
) -> Any:
    value = None
    for node, code in codes:
        before(node)
        value = eval(code, names)
        if code.co_flags & inspect.CO_COROUTINE:
            value = await value
    return value


def _compiled(node: ast.stmt, filename: str) -> types.CodeType:
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    is_value = isinstance(node, ast.Expr)
    tree: Any = ast.Expression(node.value) if isinstance(node, ast.Expr) else ast.Module([node], [])
    code: types.CodeType = compile(tree, filename, "eval" if is_value else "exec", flags)
    return code


def _loop() -> asyncio.AbstractEventLoop:
    """Return the loop in which top-level `await` runs, the same in all cells as in a notebook."""
    global _kept
    if _kept is None:
        _kept = asyncio.new_event_loop()
    return _kept


_kept: asyncio.AbstractEventLoop | None = None
