"""Modules and functions that a candidate may not use, because they solve its assignment.

They are named "package.module" or "package.module:function". If the view copies their package, a
candidate finds them neither on disk (`without`, `is_hidden`) nor in its memory, because the process
that it is forked from never loads them (`withhold`). From any other package a hidden function can
only be removed after the fork (`forget`).
"""

from __future__ import annotations

import ast
import importlib
import linecache
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from typing import Any


def is_hidden(module: str, hidden: Iterable[str]) -> bool:
    """Whether `module`, or a package that contains it, is hidden as a whole."""
    return any(module == name or module.startswith(name + ".") for name in hidden)


def hidden_functions(module: str, hidden: Iterable[str]) -> set[str]:
    """The hidden names of a module that is not hidden as a whole."""
    return {name.partition(":")[2] for name in hidden if name.startswith(module + ":")}


def without(source: str, module: str, hidden: Iterable[str]) -> str:
    """The module's source with blank lines in place of its hidden functions and classes."""
    names = hidden_functions(module, hidden)
    lines = source.splitlines(keepends=True)
    for node in ast.parse(source).body if names else []:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if node.name in names and node.end_lineno:
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            lines[first - 1 : node.end_lineno] = ["\n"] * (node.end_lineno - first + 1)
    return "".join(lines)


def withhold(hidden: Sequence[str], packages: Sequence[str], root: Path) -> None:
    """From now on, load placeholders for the hidden parts of `packages` in this process.

    Args:
        hidden: modules and functions to withhold.
        packages: packages whose copies under `root` lack the hidden parts.
        root: the view that candidates get.
    """
    sys.meta_path.insert(0, _Withholding(hidden, packages, root))
    for name in hidden:
        module, _, function = name.partition(":")
        if function and module.partition(".")[0] not in packages:
            # Load the module here, so that `forget` can remove the function. If the candidate
            # loaded the module itself, the function would be in it.
            with suppress(ImportError):
                importlib.import_module(module)


def restore(hidden: Sequence[str]) -> None:
    """Load the withheld modules and functions: for a fork that isn't isolated."""
    finders = [entry for entry in sys.meta_path if isinstance(entry, _Withholding)]
    packages = {package for finder in finders for package in finder.packages}
    affected = packages & {name.partition(":")[0].partition(".")[0] for name in hidden}
    for finder in finders:
        sys.meta_path.remove(finder)
    affected_modules = [name for name in sys.modules if name.partition(".")[0] in affected]
    for name in affected_modules:
        del sys.modules[name]
    for name in affected_modules:
        importlib.import_module(name)


def forget(hidden: Sequence[str]) -> None:
    """Remove hidden modules and functions from this process, and the references of other modules.

    A later import of a hidden module fails with a message that gives the reason.
    """
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Withholding)]
    modules = [name for name in sys.modules if is_hidden(name, hidden)]
    removed: list[Any] = [sys.modules.pop(name) for name in modules]
    for module, _, name in (entry.partition(":") for entry in hidden):
        if name and hasattr(sys.modules.get(module), name):
            removed.append(getattr(sys.modules[module], name))
    packages = {name.partition(":")[0].partition(".")[0] for name in hidden}
    for user, loaded in list(sys.modules.items()):
        if user.partition(".")[0] in packages:
            _drop_uses(loaded, modules, removed)
    for value in removed:
        _empty(value)
    linecache.clearcache()
    sys.meta_path.insert(0, _Refusal(hidden))


def _drop_uses(user: Any, modules: Sequence[str], gone: Sequence[Any]) -> None:
    for name, value in list(vars(user).items()):
        from_hidden_module = getattr(value, "__module__", None) in modules
        if from_hidden_module or any(value is hidden_value for hidden_value in gone):
            delattr(user, name)


def _message(name: str) -> str:
    return (
        f"'{name}' is not available while this assignment is graded, because it "
        "solves it: call the functions that you wrote yourself"
    )


def _refusal(name: str) -> Callable[..., Any]:
    def withheld(*_: Any, **__: Any) -> Any:
        raise ModuleNotFoundError(_message(name), name=name)

    return withheld


def _empty(value: Any) -> None:
    """Replace the code of a function, or of a class's functions, by code that refuses.

    Other objects may still refer to the function. A compiled function has no code to replace.
    """
    for function in _functions(value):
        function.__code__ = _code_like(function)
        function.__defaults__ = function.__kwdefaults__ = function.__doc__ = None
        function.__dict__.clear()


def _functions(value: Any) -> Iterator[types.FunctionType]:
    """The functions in `value`: `value` itself, its methods, and functions that decorators wrap."""
    pending, seen = [value], set()
    while pending:
        item = pending.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        wrapped = getattr(item, "__wrapped__", None)
        if isinstance(item, types.FunctionType):
            yield item
            # A closure's cell may hold any object. If its name is the function's name, it is the
            # function that was decorated.
            cells = [_content(cell) for cell in item.__closure__ or ()]
            pending += [inner for inner in cells if getattr(inner, "__name__", "") == item.__name__]
        elif isinstance(item, type):
            pending += vars(item).values()
        elif isinstance(item, staticmethod | classmethod):
            pending.append(item.__func__)
        elif isinstance(item, property):
            pending += [item.fget, item.fset, item.fdel]
        pending += [] if wrapped is None else [wrapped]


def _content(cell: types.CellType) -> Any:
    with suppress(ValueError):  # the cell is empty
        return cell.cell_contents
    return None


def _code_like(function: types.FunctionType) -> types.CodeType:
    """Code that only refuses; it has the same free variables, as `__code__` requires."""
    refusal = f"raise ModuleNotFoundError({_message(function.__name__)!r})"
    free = function.__code__.co_freevars
    lines = [f"def outer({', '.join(free)}):", f" def inner(*_, **__):\n  {refusal}"]
    lines += [f"  {name}" for name in free]
    code = compile("\n".join([*lines, " return inner"]), "<withheld>", "exec")
    for _ in range(2):
        code = next(constant for constant in code.co_consts if isinstance(constant, types.CodeType))
    return code


class _Refusal(MetaPathFinder):
    def __init__(self, hidden: Sequence[str]) -> None:
        self._hidden = hidden

    def find_spec(self, fullname: str, *_: Any) -> None:
        if is_hidden(fullname, self._hidden):
            raise ModuleNotFoundError(_message(fullname), name=fullname)


class _Withholding(MetaPathFinder):
    """Finds placeholders for hidden modules and functions."""

    def __init__(self, hidden: Sequence[str], packages: Sequence[str], root: Path) -> None:
        self.packages = packages
        self._hidden = hidden
        self._root = root

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in self.packages:
            return None
        if is_hidden(fullname, self._hidden):
            return ModuleSpec(fullname, _Placeholder(), is_package=True)
        names = hidden_functions(fullname, self._hidden)
        others = (finder for finder in sys.meta_path if finder is not self) if names else ()
        for finder in others:
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                if isinstance(spec.loader, SourceFileLoader):
                    spec.loader = _Blanked(spec.loader, self._root, names)
                    spec.cached = None
                return spec
        return None


class _Placeholder(Loader):
    """A module in which every name is a function that refuses."""

    def create_module(self, spec: ModuleSpec) -> types.ModuleType | None:
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        def get(name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            refusal = _refusal(module.__name__)
            refusal.__module__ = module.__name__  # so that `forget` recognises it
            return refusal

        vars(module)["__getattr__"] = get


class _Blanked(SourceFileLoader):
    """Loads a module as candidates see it, from source: the original's byte code hides nothing."""

    def __init__(self, loader: SourceFileLoader, root: Path, names: set[str]) -> None:
        super().__init__(loader.name, loader.path)
        self._copy = root / Path(loader.path).relative_to("/")
        self._names = names

    def get_source(self, fullname: str) -> str:
        return self._copy.read_text(encoding="utf-8")

    def get_code(self, fullname: str) -> types.CodeType:
        return compile(self.get_source(fullname), self.path, "exec", dont_inherit=True)

    def exec_module(self, module: types.ModuleType) -> None:
        # Other modules may import these names; `forget` removes them.
        vars(module).update({name: _refusal(f"{self.name}:{name}") for name in self._names})
        super().exec_module(module)
