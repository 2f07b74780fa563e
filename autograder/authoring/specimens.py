"""Wrong and alternative solutions that test the tests of an assignment.

A specimen is a small file, exercises/specimens/ASSIGNMENT/NAME.py, in Jupytext's percent format. It
has a YAML header, and then the solution cells that differ from the reference.

    # ---
    # about: Writes = where windows overlap, so that only the last window counts.
    # blind: true
    # fails:
    #   test_max_pool_overlap: contributions must add up
    # ---

    # %% solution="max_pool2d_backward"
    def max_pool2d_backward(grad_y, x, kernel, stride):
        ...

`fails` names every test that must reject the solution, with a part of the message that the
solution's author must see. Every other test must pass. A file without `fails` is an alternative
solution, which is as right as the reference: every test must accept it.

Two words are optional. `blind: true` means that the solution was written from the released
notebook, without a look at the hidden tests. `needs_isolation: true` means that the solution is
wrong only because it uses a module or a name that isolation withholds; stock nbgrader accepts it.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jupytext
import yaml
from nbformat import NotebookNode

from autograder.cells import grade_id, is_graded, is_solution
from autograder.errors import AutograderError

MARKER = 'begin each cell with the line: # %% solution="GRADE_ID"'
HEADER = "begin the file with a header, between two lines '# ---', as docs/assignments.md shows"
WORDS = ("about", "fails", "blind", "needs_isolation")


class SpecimenError(AutograderError):
    """A wrong or alternative solution that can't be used."""


@dataclass(frozen=True)
class Specimen:
    """A wrong or alternative solution.

    Attributes:
        name: the file's name without its suffix.
        about: a sentence that says what is wrong, or what is done differently.
        cells: the new sources of the solution cells that differ, by grade_id.
        fails: parts of the messages of the tests that must fail, by the test's grade_id.
        blind: whether it was written without a look at the hidden tests.
        needs_isolation: whether stock nbgrader, which hides no module, accepts it.
    """

    name: str
    about: str
    cells: dict[str, str]
    fails: dict[str, str] = field(default_factory=dict)
    blind: bool = False
    needs_isolation: bool = False

    @property
    def kind(self) -> str:
        """``"wrong"`` if a test must fail, else ``"alternative"``."""
        return "wrong" if self.fails else "alternative"


def load_all(folder: Path) -> list[Specimen]:
    """All specimens in a folder, sorted by name; none if the folder doesn't exist.

    Raises:
        SpecimenError: a file can't be read, or has another format than described above.
    """
    return [load(path) for path in sorted(folder.glob("*.py"))]


def load(path: Path) -> Specimen:
    """Read a specimen.

    Raises:
        SpecimenError: the file can't be read, or has another format than described above.
    """
    try:
        notebook = jupytext.reads(path.read_text(encoding="utf-8"), fmt="py:percent")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecimenError(f"{path}: can't be read: {error}", "write it as UTF-8 text") from error
    header = _read_header(path, notebook)
    cells: dict[str, str] = {}
    for cell in notebook.cells:
        grade_id = cell.metadata.get("solution")
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        if not isinstance(grade_id, str):
            raise SpecimenError(f"{path}: a cell doesn't say what it replaces", MARKER)
        if grade_id in cells:
            raise SpecimenError(
                f"{path}: '{grade_id}' is replaced twice", "keep one of the two cells"
            )
        cells[grade_id] = cell.source
    if not cells:
        raise SpecimenError(f"{path}: replaces no cell", MARKER)
    return Specimen(path.stem, cells=cells, **header)


def _read_header(path: Path, notebook: NotebookNode) -> dict[str, Any]:
    """The YAML header, which Jupytext returns as a raw first cell."""
    first = notebook.cells[0] if notebook.cells else None
    text = first.source.strip() if first is not None and first.cell_type == "raw" else ""
    try:
        header: Any = yaml.safe_load(text.removeprefix("---").removesuffix("---"))
    except yaml.YAMLError as error:
        raise SpecimenError(f"{path}: the header is not YAML: {error}", HEADER) from error
    if not isinstance(header, dict) or not isinstance(header.get("about"), str):
        raise SpecimenError(f"{path}: has no header that says what it is about", HEADER)
    unknown = sorted(str(key) for key in header.keys() - set(WORDS))
    if unknown:
        known = ", ".join(WORDS)
        raise SpecimenError(f"{path}: the header knows {known}, not '{unknown[0]}'", HEADER)
    fails = header.get("fails", {})
    if not isinstance(fails, dict) or not all(
        isinstance(test, str) and isinstance(message, str) and message
        for test, message in fails.items()
    ):
        raise SpecimenError(f"{path}: 'fails' must map each test to a piece of its message", HEADER)
    for word in ("blind", "needs_isolation"):
        if not isinstance(header.get(word, False), bool):
            raise SpecimenError(f"{path}: '{word}' must be true or false", HEADER)
    return header


def apply(specimen: Specimen, notebook: NotebookNode) -> NotebookNode:
    """A copy of `notebook` with the specimen's solution cells in place of its own.

    Raises:
        SpecimenError: the notebook lacks a solution cell or a test that the specimen names.
    """
    result = copy.deepcopy(notebook)
    solutions, tests = {}, set()
    for cell in result.cells:
        if (name := grade_id(cell)) and is_solution(cell):
            solutions[name] = cell
        elif name and is_graded(cell):
            tests.add(name)
    for kind, wanted, known in (
        ("solution cell", specimen.cells, set(solutions)),
        ("test", specimen.fails, tests),
    ):
        for name in wanted:
            if name not in known:
                problem = f"specimen '{specimen.name}': the notebook has no {kind} '{name}'"
                raise SpecimenError(problem, f"write one of: {', '.join(sorted(known))}")
    for name, source in specimen.cells.items():
        solutions[name].source = source
    return result
