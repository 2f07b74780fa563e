"""Finds what tests ask for that the judge doesn't support, and names each rewrite."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from autograder.cells import grade_id, is_in_kernel, is_test
from autograder.judge.notebook.source import Notebook, parse


@dataclass(frozen=True)
class Finding:
    """One place in a test cell.

    Attributes:
        grade_id: the cell's id.
        line: the line in the cell.
        what: what isn't supported.
        rewrite: what to write instead.
    """

    grade_id: str
    line: int
    what: str
    rewrite: str


def unsupported(source_notebook: Any) -> list[Finding]:
    """Return what the test cells of an instructor's notebook ask for and the judge doesn't support.

    Only the text is read. Other places show when the reference solution is run, because the
    refusal's message names the rewrite too. Cells tagged in-kernel are left out.

    Args:
        source_notebook: an nbformat 4 notebook with solutions and hidden tests.
    """
    cells = source_notebook["cells"]
    notebook = Notebook.read(cells)
    findings = []
    for cell in cells:
        if not is_test(cell) or is_in_kernel(cell):
            continue
        try:
            tree = parse(cell["source"])
        except SyntaxError:
            continue
        places = {(node.lineno, what, rewrite) for node, what, rewrite in _look(tree, notebook)}
        findings += [Finding(str(grade_id(cell)), *place) for place in sorted(places)]
    return findings


def _look(tree: ast.Module, notebook: Notebook) -> Iterator[tuple[Any, str, str]]:
    imports = [node for nodes in notebook.given.values() for node in nodes]
    names = _aliases([*imports, tree])
    yield from _look_for_pickles(tree, names)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _look_at_call(node, names)


_VMAP = ("vmap", "jacrev", "jacfwd", "hessian")
_SHELL = (".system", ".getoutput")  # of get_ipython(), in place of `!` lines
_PROCESSES = frozenset(
    f"{module}.{name}"
    for module in ("multiprocessing", "multiprocessing.pool", "multiprocessing.context")
    for name in ("Pool", "Process")
) | {"concurrent.futures.ProcessPoolExecutor", "os.fork"}
_TRACES = frozenset(
    {"sys.settrace", "sys.setprofile", "tracemalloc.start", "cProfile.Profile", "trace.Trace"}
)
_PICKLERS = ("pickle", "_pickle", "cloudpickle", "dill")
_UNPICKLE = frozenset(
    f"{module}.{name}"
    for module in _PICKLERS
    for name in ("load", "loads", "_load", "_loads", "Unpickler", "_Unpickler")
) | {"pandas.read_pickle", "joblib.load", "shelve.open"}


def _aliases(nodes: list[Any]) -> dict[str, str]:
    """Return what names stand for by the imports in these statements: {"pd": "pandas"}."""
    names: dict[str, str] = {}
    for node in (child for root in nodes for child in ast.walk(root)):
        if isinstance(node, ast.Import):
            names |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom):
            aliases = {alias.asname or alias.name: alias.name for alias in node.names}
            names |= {name: f"{node.module}.{original}" for name, original in aliases.items()}
    return names


def _look_for_pickles(tree: ast.Module, names: dict[str, str]) -> Iterator[tuple[Any, str, str]]:
    finding = "unpickles", "write and read JSON, CSV or npy"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and _full(node, names) in _UNPICKLE:
            yield node, *finding
        elif isinstance(node, ast.Call):
            options = {
                keyword.arg: keyword.value.value
                for keyword in node.keywords
                if isinstance(keyword.value, ast.Constant)
            }
            name = _full(node.func, names)
            if (name == "numpy.load" and options.get("allow_pickle")) or (
                name == "torch.load" and options.get("weights_only") is False
            ):
                yield node, *finding


def _full(node: ast.expr, names: dict[str, str]) -> str:
    first, dot, rest = _dotted(node).partition(".")
    return names.get(first, first) + dot + rest


def _look_at_call(node: ast.Call, names: dict[str, str]) -> Iterator[tuple[Any, str, str]]:
    name = _full(node.func, names)
    last = name.rpartition(".")[2]
    if last in _VMAP:
        yield (
            node,
            f"uses {last}, which has to look into the function",
            "loop over the inputs and stack the results",
        )
    elif _dotted(node.func) in _SHELL or _is_shell_magic(node):
        yield (
            node,
            "runs a command of the shell",
            "read files with open() or os.listdir(), and call the student's functions",
        )
    elif name in _PROCESSES:
        yield (
            node,
            f"starts a process ({last}), where the student's code can't be called",
            "limit the time with signal.alarm, or with concurrent.futures.ThreadPoolExecutor",
        )
    elif name in _TRACES:
        yield (
            node,
            f"uses {name}, which doesn't see the student's code",
            "count calls with mock.patch('__main__.f', wraps=f), or tag the cell in-kernel",
        )
    for keyword in node.keywords:
        value = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
        if keyword.arg == "create_graph" and value:
            yield (
                node,
                "asks for second derivatives",
                "compare first derivatives at several points",
            )
        elif last in ("errstate", "seterr") and value in ("call", "log"):
            yield node, f"sets numpy's error mode {value!r}", "use 'raise' or 'warn'"


def _is_shell_magic(node: ast.Call) -> bool:
    first = node.args[0] if node.args else None
    return (
        isinstance(node.func, ast.Attribute)
        and node.func.attr == "run_cell_magic"
        and isinstance(first, ast.Constant)
        and first.value in ("bash", "sh", "script", "system", "sx", "!")
    )


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""
