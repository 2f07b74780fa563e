"""Derives every notebook from its text source (Jupytext percent format).

    python -m tools.notebooks           write the notebooks
    python -m tools.notebooks --check   fail if a notebook differs from its source

The lecture lectures/text/NAME.py becomes lectures/NAME.ipynb. The assignment
exercises/text/NAME.py becomes exercises/source/NAME/NAME.ipynb. The same source always gives the
same bytes, because a notebook gets no outputs, no random cell ids and no metadata of a computer.

A cell that only draws begins with `# %% folded=true`. JupyterLab then hides its code until the
student clicks on it.

In an assignment, one word on a cell's marker line says which kind of nbgrader cell it is:

    # %% given="imports"                     the instructor's cell; restored before grading
    # %% solution="max_pool_backward"        the student's cell
    # %% test="test_max_pool" points=3       an autograded test
    # %% [markdown] manual="essay" points=2  answered by the student, marked by hand
    # %% quiz="backprop_false"               an empty cell for a graded question (tools.quizzes)

Before its first code cell, a lecture gets a folded cell that is in no text source. On Google Colab,
where a notebook comes alone, this cell gets the course. Elsewhere it does nothing.

If a module of course_utils would solve an assignment, the header of the assignment names it, and
the module is hidden from the candidate:

    # ---
    # jupyter:
    #   autograder:
    #     hidden: [course_utils.arithmetic]
    # ---
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbformat import NotebookNode

from course_utils.quiz.errors import BankError
from tools import quizzes

ROOT = Path(__file__).resolve().parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}

# The entries that a header may have under `jupyter:`, and the entries that Jupytext adds. The
# latter are dropped.
HEADER = ("autograder",)
MACHINES = ("jupytext", "kernelspec", "language_info")
# For each word on a marker line, nbgrader's cell metadata (schema version 3).
ROLES: dict[str, dict[str, bool]] = {
    "given": {"grade": False, "locked": True, "solution": False, "task": False},
    "solution": {"grade": False, "locked": False, "solution": True, "task": False},
    "test": {"grade": True, "locked": True, "solution": False, "task": False},
    "manual": {"grade": True, "locked": False, "solution": True, "task": False},
}
# What the notebooks of a lecture import that Colab may lack. Colab's own Jupyter stays as it is.
COLAB_LACKS = ("anywidget", "latex2mathml", "mistune", "pydantic")
COLAB = """\
# On Google Colab, this cell gets the course. Elsewhere it does nothing.
import importlib.util
import os
import subprocess
import sys

if "google.colab" in sys.modules and importlib.util.find_spec("course_utils") is None:
    course = "{repository}"
    subprocess.run(["git", "clone", "--quiet", "--depth=1", course, "course"], check=True)
    packages = {packages}
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *packages], check=True)
    sys.path.insert(0, os.path.abspath("course"))
    os.chdir("course/lectures")  # the questions are there"""
# The rule of nbformat for the id of a cell, because a grade_id becomes the cell's id.
GRADE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class SourceError(ValueError):
    """A text source can't become a notebook. The message names the file and the cell."""


def targets(root: Path) -> dict[Path, Path]:
    """Find every text source under `root`, with the path of its notebook."""
    lectures = {
        source: root / "lectures" / f"{source.stem}.ipynb"
        for source in sorted((root / "lectures" / "text").glob("*.py"))
    }
    exercises = {
        source: root / "exercises" / "source" / source.stem / f"{source.stem}.ipynb"
        for source in sorted((root / "exercises" / "text").glob("*.py"))
    }
    return lectures | exercises


def derived(root: Path) -> Iterator[tuple[Path, str]]:
    """Derive every file that is made from a text source under `root`.

    Yields:
        The path of the file, and its text.
    """
    for source, notebook in targets(root).items():
        yield notebook, derive(source, notebook.stem)
        if (questions := quizzes.public_questions(source)) is not None:
            yield notebook.parent / "quiz" / "questions.yaml", questions


def derive(source: Path, name: str) -> str:
    """Derive a notebook from its text source.

    Args:
        source: the text source.
        name: the name of the notebook, from which the cell ids are computed.

    Returns:
        The notebook as JSON text.

    Raises:
        SourceError: the source breaks a rule.
        BankError: the graded questions don't fit the source.
    """
    try:
        notebook = jupytext.reads(source.read_text(encoding="utf-8"), fmt="py:percent")
    except UnicodeDecodeError as error:
        raise SourceError(f"{source}: is not UTF-8 ({error.reason}): save it as UTF-8") from None
    quizzes.write_grade_cells(source, notebook)
    unknown = sorted(notebook.metadata.keys() - {*HEADER, *MACHINES})
    if unknown:
        raise SourceError(f"{source}: its header has {unknown[0]!r}: use {', '.join(HEADER)}")
    kernel = {"kernelspec": KERNELSPEC, "language_info": {"name": "python"}}
    notebook.metadata = nbformat.from_dict(
        {name: notebook.metadata[name] for name in HEADER if name in notebook.metadata} | kernel
    )
    seen: set[str] = set()
    for position, cell in enumerate(notebook.cells):
        try:
            grade_id = _clean_metadata(cell)
        except SourceError as error:
            raise SourceError(f"{source}: cell {position + 1}: {error}") from None
        if grade_id in seen:
            raise SourceError(
                f"{source}: cell {position + 1}: '{grade_id}' is used twice: choose another name"
            )
        if grade_id:
            seen.add(grade_id)
        cell.id = grade_id or hashlib.sha256(f"{name}:{position}".encode()).hexdigest()[:8]
    if source.parent.parent.name == "lectures":
        _insert_colab_cell(notebook)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    nbformat.validate(notebook)
    return str(nbformat.writes(notebook)) + "\n"


def _insert_colab_cell(notebook: NotebookNode) -> None:
    packages = [one for one in PROJECT["dependencies"] if one.startswith(COLAB_LACKS)]
    code = COLAB.format(repository=PROJECT["urls"]["Repository"], packages=packages)
    cell = nbformat.v4.new_code_cell(
        code, id="colab", metadata={"jupyter": {"source_hidden": True}}
    )
    first = [at for at, cell in enumerate(notebook.cells) if cell.cell_type == "code"][:1]
    if first:
        notebook.cells.insert(first[0], cell)


def _clean_metadata(cell: NotebookNode) -> str | None:
    """Replace the marker line's word by nbgrader's metadata. Return the grade_id, or None."""
    metadata = dict(cell.metadata)
    metadata.pop("lines_to_next_cell", None)
    unknown = sorted(metadata.keys() - ROLES.keys() - {"points", "tags", "folded"})
    if unknown:
        raise SourceError(
            f"has the unknown word {unknown[0]!r} on its marker line: "
            f"use one of {', '.join(ROLES)}, points, tags, folded"
        )
    if metadata.pop("folded", False):
        metadata["jupyter"] = {"source_hidden": True}
    roles = [role for role in ROLES if role in metadata]
    if len(roles) > 1:
        raise SourceError(f"has more than one of {', '.join(roles)}: keep one")
    points = metadata.pop("points", None)
    grade_id = None
    if roles:
        grade_id = str(metadata.pop(roles[0]))
        if not GRADE_ID.fullmatch(grade_id):
            raise SourceError(
                f'{roles[0]}="{grade_id}" is no name for a cell: '
                "use at most 64 letters, digits, - and _"
            )
        metadata["nbgrader"] = _nbgrader_metadata(roles[0], grade_id, points, cell.cell_type)
    elif points is not None:
        raise SourceError('has points but is no test="…" and no manual="…"')
    cell.metadata = nbformat.from_dict(metadata)
    return grade_id


def _nbgrader_metadata(role: str, grade_id: str, points: Any, cell_type: str) -> dict[str, Any]:
    graded = ROLES[role]["grade"]
    if graded != (points is not None):
        need = "needs points=N" if graded else "can't have points"
        raise SourceError(f'{role}="{grade_id}" {need}')
    if role in ("solution", "test") and cell_type != "code":
        raise SourceError(f'{role}="{grade_id}" is in a {cell_type} cell: it needs a code cell')
    if graded and (isinstance(points, bool) or not isinstance(points, int | float) or points < 0):
        raise SourceError(f'{role}="{grade_id}" has points={points!r}: give a number, 0 or more')
    metadata: dict[str, Any] = {"grade_id": grade_id, "schema_version": 3, **ROLES[role]}
    if graded:
        metadata["points"] = points
    if not ROLES[role]["solution"]:
        metadata["cell_type"] = cell_type
    return metadata


def main(argv: list[str] | None = None) -> int:
    """Write or check every notebook. Return 1 if it can't be made or, with --check, differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    check = parser.parse_args(argv).check
    stale = []
    try:
        for path, text in derived(ROOT):
            if path.exists() and path.read_text(encoding="utf-8") == text:
                continue
            stale.append(path.relative_to(ROOT))
            if not check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
    except (SourceError, BankError) as error:
        print(error, file=sys.stderr)
        return 1
    for path in stale:
        print(f"{path}: {'differs from its source: run make notebooks' if check else 'written'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
