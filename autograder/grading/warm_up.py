"""Starts the warm processes from which the processes of submissions are forked."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from nbformat import NotebookNode

from autograder.assignment import hidden_modules
from autograder.grading.settings import Settings
from autograder.sandbox.launch import WarmProcess
from autograder.sandbox.view import View

CANDIDATE = "autograder.judge.candidate_end"
JUDGE = "autograder.judge.session"
SHELL = "autograder.sandbox.shell"
WATCHED = "autograder.judge.around.watched"
QUIZ = (
    "course_utils.quiz.bank",
    "course_utils.quiz.marking",
)  # graded questions import them when they run
# A notebook that contains the word imports the module when a cell first uses it, which takes up to
# 1.7 s of the cell's time.
ON_FIRST_USE = {
    "import ask": "course_utils.quiz.widget",
    "optim": "torch._dynamo",
    "squeezenet": "torchvision.models",
    "course_utils.plots": "matplotlib.figure",
}


@dataclass(frozen=True)
class Warm:
    """The two warm processes of a run; closing them ends all processes forked from them.

    Neither of the two is forked from the other, so a candidate's own address space tells nothing
    about a judge's.

    Attributes:
        candidates: the warm process for student code, without the judge and withheld modules.
        judges: the warm process for tests.
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
        """End both warm processes and all processes forked from them."""
        self.candidates.close()
        self.judges.close()


def warm_processes(sources: Iterable[NotebookNode], settings: Settings) -> Warm:
    """Start the processes that import what an assignment's notebooks import; doesn't wait for them.

    Raises:
        ReleaseError: a module that the notebooks hide from candidates doesn't exist.
    """
    sources = list(sources)
    modules = modules_of(sources)
    candidate_view = View(hidden=hidden_modules(sources), devices=settings.gpus)
    judge_view = View(packages=("course_utils", "autograder"), devices=settings.gpus)
    isolated = settings.isolated
    judges = WarmProcess([JUDGE], judge_view if isolated else None, [*modules, WATCHED])
    try:
        return Warm(
            WarmProcess([CANDIDATE, SHELL], candidate_view if isolated else None, modules), judges
        )
    except BaseException:
        judges.close()
        raise


def modules_of(sources: Sequence[NotebookNode]) -> list[str]:
    """The modules that the instructor's notebooks import, and those that they import late."""
    text = "\n".join(cell.source for source in sources for cell in source.cells)
    modules: dict[str, None] = dict.fromkeys(QUIZ)
    for cell in (cell for source in sources for cell in source.cells if cell.cell_type == "code"):
        try:
            tree = ast.parse(cell.source)
        except SyntaxError:  # magics
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                modules |= dict.fromkeys(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules[node.module] = None
    return [*modules, *(module for word, module in ON_FIRST_USE.items() if word in text)]
