"""Which texts a test may have run as code: a text that a student's code gave could be a program.

`sympify` and `lambdify` of sympy, `query` of pandas, `eval` and `exec` compile texts, and a test
may hand a student's text, or a symbol with a student's name, to each of them. So such a text may
only compute: from numbers, and from what the student could have computed.
"""

from __future__ import annotations

import ast
import builtins
import sys
import types
from collections.abc import Collection, Iterator
from typing import Any

from autograder.judge.notebook.names import Names
from autograder.judge.policy import TEXT_COMPUTES, TEXT_PANDAS, TEXT_SYMPY

# Everything else binds names, or reaches what runs: a frame is an attribute of a generator.
_STATEMENTS = (
    ast.mod,
    ast.expr,
    ast.expr_context,
    ast.operator,
    ast.unaryop,
    ast.boolop,
    ast.cmpop,
    ast.comprehension,
    ast.keyword,
    ast.Expr,
    ast.Assign,
    ast.AugAssign,
    ast.For,
    ast.If,
    ast.Assert,
    ast.Pass,
)
_HOLD_A_NAME = frozenset({"Symbol", "Function", "Integer", "Float", "Rational", "Dummy"})
_WHO_COMPILES = {
    ("sympy.parsing.sympy_parser", "eval_expr"): "sympy",
    ("sympy.parsing.sympy_parser", "parse_expr"): "sympy",
    ("sympy.utilities.lambdify", "lambdify"): "lambdify",
    ("sympy.plotting.experimental_lambdify", "__init__"): "lambdify",
    ("timeit", "__init__"): "test",
}
_OWN_IMPORTS = ("from ", "import ")  # sympy's own, of what it evaluates in


class Texts:
    """Decides it for a text that is about to be compiled.

    Args:
        source: the instructor's cells; a text that stands in one of them is the instructor's.
        names: the tests' namespace.
    """

    def __init__(self, source: Collection[str], names: Names) -> None:
        self._source = source
        self._names = names
        self._known: set[str] | None = None

    def refused(self, code: Any, frame: types.FrameType | None) -> str | None:
        """Return why the text may not run, or None.

        Args:
            code: what is compiled: a text, or a tree.
            frame: the function that compiles.
        """
        who = self._who(frame)
        if who is None:
            return None
        written = self._as_written(who, code, frame)
        is_text = isinstance(written, str | bytes)
        if (is_text and _text(written) in self._constants) or (who == "test" and not is_text):
            return None
        if who == "test":
            code = written
        elif isinstance(code, str | bytes) and _text(code).startswith(_OWN_IMPORTS):
            return None
        try:
            tree = code if isinstance(code, ast.AST) else ast.parse(_text(code).strip())
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None  # it won't compile
        bad = next(getattr(self, f"_bad_for_{who}")(tree), None)
        return None if bad is None else (
            f"{bad} in a text that {_DOES[who]}, and that no cell of the notebook has: a student's "
            "text could be a program. Compare the text, or have the student return the value"
        )  # fmt: skip

    def _as_written(self, who: str, code: Any, frame: Any) -> Any:
        """Return the text before the library wrapped it or changed it."""
        if who == "sympy":
            return (frame if "s" in frame.f_locals else frame.f_back).f_locals.get("s")
        if who == "pandas":
            return frame.f_back.f_locals.get("node")
        if who == "test" and frame.f_globals is not self._names:
            return frame.f_locals.get("stmt")  # of timeit
        return code

    def _who(self, frame: types.FrameType | None) -> str | None:
        if frame is None:
            return None
        if frame.f_globals is self._names:
            return "test"
        module = frame.f_globals.get("__name__")
        if module == "ast" and frame.f_back is not None:  # ast.parse
            reader = frame.f_back.f_globals.get("__name__")
            return "pandas" if reader == "pandas.core.computation.expr" else None
        return _WHO_COMPILES.get((str(module), frame.f_code.co_name))

    @property
    def _constants(self) -> set[str]:
        if self._known is None:
            self._known = set()
            for cell in self._source:
                try:
                    nodes = list(ast.walk(ast.parse(cell)))
                except (SyntaxError, ValueError):
                    continue
                texts = (n.value for n in nodes if isinstance(n, ast.Constant))
                self._known |= {text for text in texts if isinstance(text, str)}
        return self._known

    def _bad_for_test(self, tree: ast.AST) -> Iterator[str]:
        """Yield what gives more than the student's own names do."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Lambda) or not isinstance(node, _STATEMENTS):
                yield f"a {type(node).__name__}"
            elif isinstance(node, ast.Attribute):
                yield f".{node.attr}"
            elif isinstance(node, ast.Name) and (
                (node.id not in TEXT_COMPUTES and hasattr(builtins, node.id))
                or node.id.startswith("__")
                or self._names.is_tests(node.id)
            ):
                yield f"the name {node.id}"

    def _bad_for_sympy(self, tree: ast.AST) -> Iterator[str]:
        """Yield what isn't a formula of sympy's own classes and functions."""
        sympy = vars(sys.modules["sympy"])
        yield from _not_arithmetic(tree, _HOLD_A_NAME)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                yield f".{node.attr}"
            elif isinstance(node, ast.Name) and node.id not in TEXT_COMPUTES | TEXT_SYMPY:
                known = sympy.get(node.id)
                is_class = isinstance(known, type) and not issubclass(known, BaseException)
                is_no_value = (
                    known is None or callable(known) or isinstance(known, types.ModuleType)
                )
                if is_no_value and not is_class:
                    yield f"the name {node.id}"

    def _bad_for_lambdify(self, tree: ast.AST) -> Iterator[str]:
        """Yield what sympy's printers write only if a symbol or a function has such a name."""
        yield from _not_arithmetic(tree, frozenset())
        own = {arg.arg for node in ast.walk(tree) if isinstance(node, ast.arguments)
               for arg in (*node.args, *node.posonlyargs)}  # fmt: skip
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                owner = node.value.id if isinstance(node.value, ast.Name) else ""
                if owner != "builtins" or node.attr not in TEXT_COMPUTES:
                    yield f".{node.attr}"
            elif (
                isinstance(node, ast.Name)
                and node.id not in own | TEXT_COMPUTES | {"builtins"}
                and (node.id.startswith("__") or hasattr(builtins, node.id))
            ):
                yield f"the name {node.id}"

    def _bad_for_pandas(self, tree: ast.AST) -> Iterator[str]:
        """Yield what isn't asked of a column."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr not in TEXT_PANDAS:
                yield f".{node.attr}"
            elif isinstance(node, ast.Name):
                name = node.id.removeprefix("__pd_eval_local_")  # `@name` in the text
                if name.startswith("__") or self._names.is_tests(name):
                    yield f"the name {name}"


_DOES = {
    "test": "the test runs",
    "sympy": "sympy reads",
    "lambdify": "sympy's lambdify makes",
    "pandas": "pandas reads",
}


def _not_arithmetic(tree: ast.AST, named: frozenset[str]) -> Iterator[str]:
    """Yield texts, but as the first argument of these functions, and statements that do more."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args)
    allowed = {
        id(call.args[0])
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id in named
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            if id(node) not in allowed:
                yield "a text"
        elif isinstance(node, ast.Import | ast.ImportFrom | ast.Lambda | ast.JoinedStr | ast.Await):
            yield f"a {type(node).__name__}"


def _text(code: str | bytes) -> str:
    return code.decode("utf-8", "replace") if isinstance(code, bytes) else code
