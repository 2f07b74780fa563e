"""Feedback for students: nbgrader's own page, without hidden tests."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbconvert.exporters import HTMLExporter
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_output
from nbgrader.api import MissingEntry
from nbgrader.converters import GenerateFeedback
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_locked

from autograder.attempts.decision_table import decisions_of
from autograder.cells import Region, region_lines, without_regions
from autograder.course import Course
from autograder.errors import AutograderError
from autograder.grading.decisions import in_words
from autograder.grading.options import require_options
from autograder.grading.pages import FILTERS, TEMPLATE
from autograder.grading.prepare import drop_clashes, read_files
from autograder.grading.reading import OverrunError, ask
from autograder.grading.record import results_of, settle_folders
from autograder.grading.swap import replace_folder

SECONDS = 20  # of processor time for one notebook's page; most take half a second
MAX_NOTEBOOK = 200 << 20  # bytes of an autograded notebook with its outputs
MOST_NAMED = 20


class FeedbackError(AutograderError):
    """Feedback can't be made."""


class HideTests(NbGraderPreprocessor):
    """Removes hidden tests, and outputs that could quote them, from an autograded notebook.

    A test cell with a hidden region keeps its visible tests and the message of the assertion that
    failed. A cell that marks a question also keeps its printed output, which is meant for the
    student: the verdict and the complete solution.
    """

    def preprocess_cell(
        self, cell: NotebookNode, resources: ResourcesDict, _index: int
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Remove the hidden tests of one cell."""
        hidden = cell.cell_type == "code" and region_lines(cell.source, Region.HIDDEN_TESTS)
        if hidden and is_locked(cell):  # a student's own cell has no hidden tests
            placeholder = "# (hidden tests ran here)"
            cell.source = without_regions(cell.source, Region.HIDDEN_TESTS, placeholder)
            printed = [output for output in cell.outputs if output.get("name") == "stdout"]
            cell.outputs = [
                *(printed if "quiz" in cell.metadata.get("tags", []) else []),
                *(_message(output) for output in cell.outputs if output.output_type == "error"),
            ]
        return cell, resources


def _message(error: NotebookNode) -> NotebookNode:
    text = error.evalue.strip() or "a hidden test failed"
    line = f"{error.ename}: {text}"
    return new_output("error", ename=error.ename, evalue=text, traceback=[line])


class _Made(NamedTuple):
    """The result of making one student's pages.

    Attributes:
        student: the student's id.
        problem: why the pages could not be made; None if they were made.
        plain: whether a notebook is shown as plain text, because drawing it takes too long.
    """

    student: str
    problem: str | None = None
    plain: bool = False


def feedback(course: Course, name: str) -> list[str]:
    """Make the feedback pages of all graded submissions of an assignment, on all cores.

    A process draws each page; it is ended if drawing takes too long. A student's pages are put in
    place together.

    Returns:
        The ids of the students who have feedback.

    Raises:
        FeedbackError: nothing was graded; or some pages could not be made or show plain text only,
            so that a person must look at them. All other pages are in place then.
    """
    require_options(course)
    with course.gradebook() as gradebook:
        settle_folders(course, gradebook, name)
        graded = sorted(results_of(gradebook, name))
        try:
            notebooks = [row.name for row in gradebook.find_assignment(name).notebooks]
        except MissingEntry:
            notebooks = []
    students = [student for student in graded if course.path("autograded", name, student).exists()]
    if not students:
        raise FeedbackError(
            f"nothing of '{name}' has been graded", f"run 'autograder grade {name}'"
        )
    with ThreadPoolExecutor(min(len(students), len(os.sched_getaffinity(0)))) as pool:
        results = list(pool.map(lambda student: _make(course, name, student, notebooks), students))
    if failed := [outcome for outcome in results if outcome.problem]:
        details = "; ".join(f"{page.student}: {page.problem}" for page in failed[:MOST_NAMED])
        raise FeedbackError(
            f"no feedback of '{name}' for {len(failed)} of {len(results)} students, all others have"
            f" theirs: {details}",
            f"run 'autograder grade {name} --force --student ID' for each of them, which puts its"
            " folder in order, then feedback again",
        )
    if plain := [outcome.student for outcome in results if outcome.plain]:
        raise FeedbackError(
            f"the feedback of '{name}' is there, but shows plain text for"
            f" {', '.join(plain[:MOST_NAMED])}: to draw it takes more than {SECONDS} s",
            "look at what was handed in; ask for one without what makes it so, or leave it",
        )
    return students


def _make(course: Course, name: str, student: str, notebooks: Iterable[str]) -> _Made:
    """Make one student's pages and put them in place."""
    source = course.path("autograded", name, student)
    pages: dict[str, bytes] = {}
    plain = False
    try:
        besides = {f"{notebook}.ipynb" for notebook in notebooks}
        files = read_files(course, source, besides, [], graded=True)
        # nbgrader releases everything here that is called so, and stops at a folder.
        files = {
            path: data
            for path, data in files.items()
            if not path.partition("/")[0].endswith(".html")
        }
        for notebook in _present(source, notebooks):
            content = _content(source / f"{notebook}.ipynb")
            page, shown_plain = _page(course, name, student, notebook, content)
            pages[f"{notebook}.html"] = page.encode("utf-8", "replace")
            plain = plain or shown_plain
        drop_clashes(files, pages, [])
        replace_folder(course.path("feedback", name, student), files | pages)
    except AutograderError as error:
        return _Made(student, error.problem)
    except OSError as error:
        return _Made(student, f"{error.filename or source}: {error.strerror or error}")
    return _Made(student, plain=plain)


def _present(folder: Path, notebooks: Iterable[str]) -> list[str]:
    """The notebooks that were handed in; all if none is there, which is a damaged folder."""
    present = [name for name in notebooks if os.path.lexists(folder / f"{name}.ipynb")]
    return present or list(notebooks)


def _page(
    course: Course, name: str, student: str, notebook: str, content: bytes
) -> tuple[str, bool]:
    """A notebook's page, and whether it shows plain text only."""
    arguments = {"root": str(course.root), "name": name, "student": student, "notebook": notebook}
    try:
        return ask("feedback", content, seconds=SECONDS, **arguments), False
    except OverrunError:
        return ask("feedback", content, seconds=SECONDS, plain=True, **arguments), True


def _content(path: Path) -> bytes:
    """The content of an autograded notebook.

    Raises:
        FeedbackError: the file isn't a notebook that `autograder grade` wrote.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise FeedbackError(f"{path} can't be read: {error.strerror}", "grade it anew") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_NOTEBOOK:
            raise FeedbackError(f"{path} is not a notebook's plain file", "grade it anew")
        with os.fdopen(os.dup(descriptor), "rb") as file:
            return file.read()
    finally:
        os.close(descriptor)


# ── in the reader's process ─────────────────────────────────────────────────────────────────────


def draw_page(
    content: bytes, root: str, name: str, student: str, notebook: str, plain: bool = False
) -> str:
    """The feedback page of one autograded notebook, by nbgrader's template and preprocessors.

    Raises:
        Exception: the page can't be made; nbgrader may raise any exception.
    """
    course, exporter = _exporter(root, name)
    resources = {
        "plain": plain,
        "metadata": {"name": notebook, "path": str(course.path("autograded", name, student))},
        "nbgrader": {
            "student": student,
            "assignment": name,
            "notebook": notebook,
            "db_url": course.directory.db_url,
        },
    }
    parsed = nbformat.reads(content.decode("utf-8"), as_version=4)
    if told := _told(course, name, student):
        parsed.cells.insert(0, new_markdown_cell(told))
    page, _ = exporter.from_notebook_node(parsed, resources=resources)
    return str(page)


def _told(course: Course, name: str, student: str) -> str:
    """What was decided about a student's submission, in words for the student; '' if nothing."""
    with course.gradebook() as gradebook:
        decisions = decisions_of(gradebook, name, student)
    lines = [f"- {in_words(decision, student)}" for decision in decisions]
    return "\n".join(["## Decisions about your submission", "", *lines]) if lines else ""


@lru_cache(maxsize=1)
def _exporter(root: str, _name: str) -> tuple[Course, HTMLExporter]:
    """The course, and the exporter that nbgrader's GenerateFeedback makes; the last is cached."""
    course = Course(Path(root))
    log = logging.Logger("generate_feedback")
    log.addHandler(logging.NullHandler())
    converter = GenerateFeedback(coursedir=course.directory, config=course.config, log=log)
    config = converter.config.copy()
    # Also in a course whose configuration doesn't know the autograder.
    config.HTMLExporter.merge(
        {"sanitize_html": True, "template_file": str(TEMPLATE), "filters": FILTERS}
    )
    exporter = HTMLExporter(parent=converter, config=config)
    steps = list(converter.preprocessors)
    if HideTests not in steps:
        steps.insert(0, HideTests)
    for step in steps:
        exporter.register_preprocessor(step)
    return course, exporter
