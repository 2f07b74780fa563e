"""What the text of a submission says about a student's function or class."""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Callable
from typing import Any

from autograder.judge.notebook.source import parse
from autograder.judge.objects.stand_ins import Remote
from autograder.judge.replaced.annotations import Annotations


class Sources:
    """Finds where the submission defines a function or class.

    Args:
        cells: the student's cells.
        annotations: evaluates annotations.
    """

    def __init__(self, cells: list[str], annotations: Annotations) -> None:
        self._cells = cells
        self._annotations = annotations

    @functools.cached_property
    def _bindings(self) -> dict[str, tuple[str, ast.stmt]]:
        bindings: dict[str, tuple[str, ast.stmt]] = {}
        for source in self._cells:
            try:
                tree = parse(source)
            except SyntaxError:
                continue
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef):  # the methods of several classes by full name
                    for part in node.body:
                        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
                            bindings[f"{node.name}.{part.name}"] = (source, part)
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    bindings[node.name] = (source, node)
                elif isinstance(node, ast.Assign):
                    for target in node.targets:
                        if isinstance(target, ast.Name):
                            bindings[target.id] = (source, node)
        return bindings

    def for_remote(
        self, ours: Callable[[Remote], Any], plain: Callable[..., Any]
    ) -> Callable[..., Any]:
        """Return a function that answers for stand-ins, and leaves other objects to `plain`."""

        def answer(obj: Any, *args: Any, **kwargs: Any) -> Any:
            if issubclass(type(obj), Remote):
                return ours(obj)
            return plain(obj, *args, **kwargs)

        return answer

    def text(self, obj: Remote) -> str:
        """Return the source text of the last definition of the object's name."""
        source, node = self._find(obj)
        lines = source.splitlines(keepends=True)
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        return "".join(lines[first - 1 : node.end_lineno])

    def signature(self, obj: Remote) -> inspect.Signature:
        """Return the signature as it is written; defaults that aren't constants show as `...`."""
        node = self._find(obj)[1]
        if isinstance(node, ast.ClassDef):
            inits = [n for n in node.body if getattr(n, "name", "") == "__init__"]
            if not inits:
                return inspect.Signature()
            node = inits[0]
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            raise ValueError("no signature found")
        skip_self = obj._kind_.names[0] in ("builtins:type", "builtins:method")
        signature = _signature(node.args, skip_self=skip_self)
        try:
            hints = self._annotations.of(node)
        except Exception:  # an annotation that only the student's process can evaluate
            return signature
        parameters = [
            parameter.replace(annotation=hints.get(name, parameter.annotation))
            for name, parameter in signature.parameters.items()
        ]
        returned = hints.get("return", signature.return_annotation)
        return signature.replace(parameters=parameters, return_annotation=returned)

    def annotations(self, obj: Remote) -> Any:
        """Return `__annotations__`, in terms of the judge's types where the text can be read."""
        try:
            return self._annotations.of(self._find(obj)[1])
        except Exception:
            return obj._ask_("getattr", "__annotations__")

    def hints(self, obj: Remote) -> Any:
        """Return what `typing.get_type_hints` returns."""
        return self._annotations.hints(self._find(obj)[1])

    def _find(self, obj: Remote) -> tuple[str, ast.stmt]:
        full = str(obj.__qualname__).rpartition("<locals>.")[2]
        name = full.rpartition(".")[2]
        binding = self._bindings.get(full) or self._bindings.get(name)
        if binding is None or isinstance(binding[1], ast.Assign):
            raise OSError(f"the notebook has no def or class {name}")
        return binding


def _signature(args: ast.arguments, *, skip_self: bool) -> inspect.Signature:
    kinds = inspect.Parameter
    positional = [*args.posonlyargs, *args.args]
    defaults = [None] * (len(positional) - len(args.defaults)) + list(args.defaults)
    parameters = [
        kinds(
            arg.arg,
            kinds.POSITIONAL_ONLY if arg in args.posonlyargs else kinds.POSITIONAL_OR_KEYWORD,
            default=_default(default),
        )
        for arg, default in zip(positional, defaults, strict=True)
    ]
    if skip_self:
        parameters = parameters[1:]
    if args.vararg:
        parameters.append(kinds(args.vararg.arg, kinds.VAR_POSITIONAL))
    parameters += [
        kinds(arg.arg, kinds.KEYWORD_ONLY, default=_default(default))
        for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True)
    ]
    if args.kwarg:
        parameters.append(kinds(args.kwarg.arg, kinds.VAR_KEYWORD))
    return inspect.Signature(parameters)


def _default(node: ast.expr | None) -> Any:
    if node is None:
        return inspect.Parameter.empty
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ...
