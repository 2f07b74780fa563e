"""An assignment as the instructor wrote it, and its cells as the gradebook stores them."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any

import nbformat
from nbformat import NotebookNode
from traitlets.utils.importstring import import_item

from autograder.cells import (
    IN_KERNEL,
    grade_id,
    is_graded,
    is_solution,
    is_test,
    points,
    role,
    with_usual_delimiters,
)
from autograder.course import Course
from autograder.errors import ReleaseError
from autograder.sandbox.view import View


def hidden_modules(notebooks: Iterable[NotebookNode]) -> tuple[str, ...]:
    """Modules and functions that candidates may not use, because they solve the assignment.

    The header of an assignment's text source names them, and becomes the notebook's metadata:
    `autograder: {hidden: [course_utils.arithmetic]}`.

    Raises:
        ReleaseError: the metadata have another form, or a named module doesn't exist.
    """
    hidden: dict[str, None] = {}
    for notebook in notebooks:
        entry = notebook.metadata.get("autograder", {})
        names = entry.get("hidden", []) if isinstance(entry, dict) else entry
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ReleaseError(
                f"the notebook's metadata say autograder: {entry!r}",
                "name modules: autograder: {hidden: [course_utils.arithmetic]}",
            )
        for name in names:
            _check_hidden(name)
        hidden |= dict.fromkeys(names)
    return tuple(hidden)


def _check_hidden(name: str) -> None:
    module, _, function = name.partition(":")
    package = module.partition(".")[0]
    in_view = package in View.packages
    try:
        # `find_spec` of a package's name imports nothing. Whether the function exists in another
        # package is not checked here.
        exists = bool(in_view or function) and find_spec(module if in_view else package) is not None
    except ImportError:
        exists = False
    if not exists:
        raise ReleaseError(
            f"'{name}' is to be hidden from candidates, and is no module of "
            f"{', '.join(View.packages)}, and no package's function (package.module:function)",
            "mend its name in the header of the assignment's text source",
        )


@dataclass(frozen=True)
class Assignment:
    """What was released, read from the source folder and checked against the gradebook.

    Attributes:
        name: the assignment's id.
        folder: its source folder.
        sources: each notebook as the instructor wrote it, solutions and hidden tests included.
        masters: notebooks by name, as submissions are graded: without solutions, with hidden tests.
        files: every other file of the source folder, by its path in the folder.
        not_overwritten: files that stay as a student handed them in, by `exclude_overwriting`.
        students_files: files of which a test sees the student's version: those in
            `not_overwritten`, and those that a solution writes.
    """

    name: str
    folder: Path
    sources: dict[str, NotebookNode]
    masters: dict[str, NotebookNode]
    files: dict[str, bytes] = field(repr=False)
    not_overwritten: frozenset[str] = frozenset()
    students_files: frozenset[str] = frozenset()

    @classmethod
    def load(cls, course: Course, name: str) -> Assignment:
        """Read an assignment's source folder.

        Raises:
            ReleaseError: a notebook can't be read, nbgrader rejects it, or a module that it hides
                doesn't exist.
        """
        folder = course.path("source", name)
        sources = read_sources(course, name)
        masters, files = {}, {}
        for path in sorted(folder.rglob("*")):
            parts = path.relative_to(folder).parts
            if not path.is_file() or any(course.ignores(part) for part in parts):
                continue
            if path.suffix == ".ipynb" and path.parent == folder:
                masters[path.stem] = _master(course, name, path)
            else:
                files[path.relative_to(folder).as_posix()] = path.read_bytes()
        hidden_modules(sources.values())
        stated = course.config.get("Autograde", {}).get("exclude_overwriting", {})
        kept = {PurePosixPath(path).as_posix() for path in stated.get(name, [])}
        written = {path for source in sources.values() for path in written_files(source)}
        students = frozenset((kept | written) & files.keys())
        return cls(name, folder, sources, masters, files, students & kept, students)

    @cached_property
    def max_score(self) -> float:
        """The sum of the points of all grade cells."""
        return sum(
            points(cell)
            for master in self.masters.values()
            for cell in master.cells
            if is_graded(cell)
        )

    @cached_property
    def digest(self) -> str:
        """A hash of everything that decides a score: tests, points, given files and sources.

        The whole sources count, because the judge reads the solution regions to know which names a
        student defines.
        """
        hashed = hashlib.sha256()
        for name, source in sorted(self.sources.items()):
            hashed.update(f"{name}\n{nbformat.writes(source)}\n".encode())
        for name, master in sorted(self.masters.items()):
            hashed.update(f"{name}\n{nbformat.writes(master)}\n".encode())
        hashed.update(f"{sorted(self.students_files)} {sorted(self.not_overwritten)}\n".encode())
        for name, content in sorted(self.files.items()):
            hashed.update(f"{name}\n{len(content)}\n".encode() + content)
        return hashed.hexdigest()

    def check_released(self, course: Course) -> None:
        """Make sure that the gradebook holds exactly the cells of this assignment.

        Raises:
            ReleaseError: the assignment was never released, or was changed since its release.
        """
        from nbgrader.api import MissingEntry

        with course.gradebook() as gradebook:
            try:
                notebooks = gradebook.find_assignment(self.name).notebooks
            except MissingEntry:
                raise ReleaseError(
                    f"'{self.name}' is not in the gradebook: it was never released",
                    f"run 'autograder release {self.name}'",
                ) from None
            released = {
                (notebook.name, cell.name): cell.checksum
                for notebook in notebooks
                for cell in notebook.source_cells
            }
        current = {
            (name, cell_id): role(cell)["checksum"]
            for name, master in self.masters.items()
            for cell in master.cells
            if (cell_id := grade_id(cell))
        }
        changed = sorted(
            {
                key[1]
                for key in current.keys() | released.keys()
                if current.get(key) != released.get(key)
            }
        )
        if changed:
            raise ReleaseError(
                f"'{self.name}' was changed since it was released: {', '.join(changed)}",
                f"run 'autograder release {self.name}', then grade again",
            )


def read_sources(course: Course, name: str) -> dict[str, NotebookNode]:
    """Each notebook of an assignment as the instructor wrote it, by its name.

    The regions of its cells have nbgrader's usual markers, and the tests that the configuration
    wants in the student's process have the tag.

    Raises:
        ReleaseError: a notebook can't be read, or is in another language than Python.
    """
    from nbgrader.preprocessors import IncludeHeaderFooter

    sources = {}
    for path in sorted(course.path("source", name).glob("*.ipynb")):
        notebook = _read(path)
        _require_python(path, notebook)
        notebook = _run_steps(course, notebook, path, name, [IncludeHeaderFooter])
        sources[path.stem] = _translated(course, name, notebook)
    return sources


def _read(path: Path) -> NotebookNode:
    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        raise ReleaseError(f"{path} is not a notebook: {error}", "run 'make notebooks'") from error


def _require_python(path: Path, notebook: NotebookNode) -> None:
    """Make sure that a notebook is in Python, the only language that the judge knows.

    Raises:
        ReleaseError: it is in another language, or its kernel is unknown.
    """
    kernel = notebook.metadata.get("kernelspec", {})
    name = str(kernel.get("name", "python3"))
    stated = kernel.get("language") or notebook.metadata.get("language_info", {}).get("name")
    language = str(stated or _language_of(name))
    if not language.lower().startswith(("python", "ipython")):
        raise ReleaseError(
            f"{path} is in {language} (its kernel is '{name}'): the autograder runs Python only",
            "grade this assignment with 'nbgrader autograde' and without this engine in"
            " nbgrader_config.py; nothing was run",
        )


def _language_of(kernel: str) -> str:
    """The language of a kernel that a notebook names without a language."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    if "py" in kernel.lower():
        return "python"
    try:
        return str(KernelSpecManager().get_kernel_spec(kernel).language)
    except NoSuchKernel:
        return "an unknown language"


def _translated(course: Course, assignment: str, notebook: NotebookNode) -> NotebookNode:
    """The notebook in the form that all other modules expect, changed in place."""
    for cell in notebook.cells:
        cell.source = with_usual_delimiters(cell.source, course.delimiters)
        if is_test(cell) and course.runs_in_kernel(assignment, grade_id(cell) or ""):
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), IN_KERNEL]
    return notebook


def written_files(source: NotebookNode) -> Iterator[str]:
    """The files that the instructor's solutions write by a literal name, such as a form."""
    for cell in source.cells:
        if cell.cell_type != "code" or not is_solution(cell):
            continue
        try:
            tree = ast.parse(cell.source)
        except SyntaxError:  # magics
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _writes(node):
                yield from (
                    PurePosixPath(part.value).as_posix()
                    for part in ast.walk(node)
                    if isinstance(part, ast.Constant) and isinstance(part.value, str)
                )


def _writes(call: ast.Call) -> bool:
    """Whether a call writes a file: `open(…, "w")`, `Path(…).write_text(…)`, `df.to_csv(…)`."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if name == "open":
        arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
        modes = [part.value for part in arguments if isinstance(part, ast.Constant)]
        return any(
            isinstance(mode, str) and set(mode) <= set("rwaxbt+") and set(mode) & set("wax+")
            for mode in modes
        )
    return name.startswith(("write_", "to_", "save", "imsave", "imwrite"))


def _master(course: Course, assignment: str, path: Path) -> NotebookNode:
    """Run in memory those of nbgrader's release steps that come before it stores the cells."""
    from nbgrader.converters import GenerateAssignment
    from nbgrader.preprocessors import SaveCells

    converter = GenerateAssignment(coursedir=course.directory, config=course.config)
    steps = [
        import_item(step) if isinstance(step, str) else step for step in converter.preprocessors
    ]
    before = steps[: steps.index(SaveCells)] if SaveCells in steps else steps
    master = _run_steps(course, _read(path), path, assignment, before)
    return _translated(course, assignment, master)


def _run_steps(
    course: Course, notebook: NotebookNode, path: Path, assignment: str, steps: Iterable[Any]
) -> NotebookNode:
    """Run steps of nbgrader's in memory, where nbgrader runs them: in the course folder.

    Raises:
        ReleaseError: a step refuses the notebook.
    """
    resources = {
        "unique_key": path.stem,
        "metadata": {"path": str(path.parent)},
        "nbgrader": {
            "student": ".",
            "assignment": assignment,
            "notebook": path.stem,
            "db_url": str(course.directory.db_url),
        },
    }
    with course.as_nbgrader_runs():
        for step in steps:
            try:
                notebook, resources = step(config=course.config)(notebook, resources)
            except Exception as error:
                raise ReleaseError(
                    f"{path.name} in '{assignment}': {error}", "mend its text source"
                ) from error
    return notebook
