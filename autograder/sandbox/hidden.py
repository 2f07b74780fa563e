"""Modules and functions that a candidate may not use, because they solve its assignment.

They are named "package.module" or "package.module:function". A candidate neither finds them on
disk (`without`, `is_hidden`) nor in its memory (`forget`).
"""

from __future__ import annotations

import ast
import linecache
import sys
from collections.abc import Iterable, Sequence
from importlib.abc import MetaPathFinder
from typing import Any


def is_hidden(module: str, hidden: Iterable[str]) -> bool:
    """Whether `module`, or a package that it is in, is named as a whole."""
    return any(module == name or module.startswith(name + ".") for name in hidden)


def without(source: str, module: str, hidden: Iterable[str]) -> str:
    """The module's source with its hidden functions and classes blanked out, line for line."""
    names = {name.partition(":")[2] for name in hidden if name.startswith(module + ":")}
    lines = source.splitlines(keepends=True)
    for node in ast.parse(source).body if names else []:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if node.name in names and node.end_lineno:
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            lines[first - 1 : node.end_lineno] = ["\n"] * (node.end_lineno - first + 1)
    return "".join(lines)


def forget(hidden: Sequence[str]) -> None:
    """Drop what is hidden from this process: modules, functions, and other modules' uses of them.

    A later import of a hidden module fails with a message that says why.
    """
    modules = [name for name in sys.modules if is_hidden(name, hidden)]
    gone: list[Any] = [sys.modules.pop(name) for name in modules]
    for module, _, name in (entry.partition(":") for entry in hidden):
        if name and hasattr(sys.modules.get(module), name):
            gone.append(getattr(sys.modules[module], name))
    packages = {name.partition(":")[0].partition(".")[0] for name in hidden}
    for user, loaded in list(sys.modules.items()):
        if user.partition(".")[0] in packages:
            _drop_uses(loaded, modules, gone)
    linecache.clearcache()
    sys.meta_path.insert(0, _Refusal(hidden))


def _drop_uses(user: Any, modules: Sequence[str], gone: Sequence[Any]) -> None:
    for name, value in list(vars(user).items()):
        from_hidden_module = getattr(value, "__module__", None) in modules
        if from_hidden_module or any(value is each for each in gone):
            delattr(user, name)


class _Refusal(MetaPathFinder):
    def __init__(self, hidden: Sequence[str]) -> None:
        self._hidden = hidden

    def find_spec(self, fullname: str, *_: Any) -> None:
        if is_hidden(fullname, self._hidden):
            raise ModuleNotFoundError(
                f"'{fullname}' is not available while this assignment is graded, because it "
                "solves it: call the functions that you wrote yourself",
                name=fullname,
            )
