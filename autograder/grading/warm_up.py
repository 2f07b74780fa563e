"""Starts the processes that an assignment's submissions are forked from."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from nbformat import NotebookNode

from autograder.assignment import hidden_modules
from autograder.grading.settings import Settings
from autograder.sandbox import shell
from autograder.sandbox.launch import WarmProcess
from autograder.sandbox.view import View

CANDIDATE = "autograder.judge.candidate_end"
JUDGE = "autograder.judge.session"
QUIZ = ("course_utils.quiz.bank", "course_utils.quiz.marking")  # graded questions load them late
# What a notebook that says the word imports when it first does it: up to 1.7 s of a cell's time.
ON_FIRST_USE = {
    "import ask": "course_utils.quiz.widget",
    "optim": "torch._dynamo",
    "squeezenet": "torchvision.models",
    "course_utils.plots": "matplotlib.figure",
}


@dataclass(frozen=True)
class Warm:
    """The two processes that all of a run's others are forked from; closing it ends them all.

    They are started apart, not forked from each other: what a candidate learns of its own address
    space says nothing about a judge's.

    Attributes:
        candidates: forked for student code; it knows neither the judge nor what is withheld.
        judges: forked for tests.
    """

    candidates: WarmProcess
    judges: WarmProcess

    def __enter__(self) -> Self:
        return self

    def await_ready(self) -> None:
        """Wait for both.

        Raises:
            LaunchError: one of them can't start; or the machine forbids isolation.
        """
        self.candidates.await_ready()
        self.judges.await_ready()

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End both, and all that was forked from them."""
        self.candidates.close()
        self.judges.close()


def warm_processes(sources: Iterable[NotebookNode], settings: Settings) -> Warm:
    """Start the processes that import what an assignment's notebooks import; doesn't wait for them.

    Raises:
        ReleaseError: the notebooks hide a module from candidates that there isn't.
    """
    sources = list(sources)
    text = "\n".join(cell.source for source in sources for cell in source.cells)
    late = [module for word, module in ON_FIRST_USE.items() if word in text]
    modules = [*QUIZ, *_imports(sources), *late]
    theirs = View(hidden=hidden_modules(sources), devices=settings.gpus)
    ours = View(packages=("course_utils", "autograder"), devices=settings.gpus)
    isolated = settings.isolated
    judges = WarmProcess([JUDGE], ours if isolated else None, modules)
    try:
        needed = [CANDIDATE, *shell.MODULES]
        return Warm(WarmProcess(needed, theirs if isolated else None, modules), judges)
    except BaseException:
        judges.close()
        raise


def _imports(sources: Iterable[NotebookNode]) -> list[str]:
    """The modules that the instructor's notebooks import, for the warm process to have them."""
    found: dict[str, None] = {}
    for cell in (cell for source in sources for cell in source.cells if cell.cell_type == "code"):
        try:
            tree = ast.parse(cell.source)
        except SyntaxError:  # magics
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found |= dict.fromkeys(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found[node.module] = None
    return list(found)
