"""Feedback for students: nbgrader's own page, without anything hidden."""

from __future__ import annotations

import logging
import os
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

import bleach
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_locked

from autograder.assignment import HIDDEN
from autograder.course import Course
from autograder.errors import AutograderError
from autograder.record import results_of

_TAGS = {
    *bleach.ALLOWED_TAGS,
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "br", "hr", "div", "span", "pre", "img"),
    *("table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "dl", "dt", "dd"),
    *("del", "details", "summary", "s", "small", "sub", "sup"),
}
_ATTRIBUTES = {
    "*": ["align", "class", "colspan", "id", "rowspan", "title"],
    "a": ["href"],
    "img": ["alt", "height", "src", "width"],
}


class FeedbackError(AutograderError):
    """Feedback can't be made."""


class HideTests(NbGraderPreprocessor):
    """Takes the hidden tests, and all that could quote them, out of an autograded notebook.

    Of a test cell with a hidden region there remain the visible tests and what the test said to
    the student: the message of its assertion. A cell that marks a question keeps what it printed,
    which is meant for the student: the verdict and the complete solution.
    """

    def preprocess_cell(
        self, cell: NotebookNode, resources: ResourcesDict, index: int
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Clean one cell."""
        # A student's own cell hides nothing, and may be made to keep the search busy for days.
        if cell.cell_type == "code" and is_locked(cell) and HIDDEN.search(cell.source):
            cell.source = HIDDEN.sub("# (hidden tests ran here)", cell.source)
            printed = [output for output in cell.outputs if output.get("name") == "stdout"]
            cell.outputs = [
                *(printed if "quiz" in cell.metadata.get("tags", []) else []),
                *(_message(output) for output in cell.outputs if output.output_type == "error"),
            ]
        return cell, resources


def clean_html(html: object) -> str:
    """HTML without what runs: scripts, handlers, styles, frames and forms show as text.

    The course's configuration gives it to nbconvert, for feedback and for the formgrader's pages:
    there a student's script would act as the instructor who looks at it.
    """
    return bleach.clean(
        str(html), tags=_TAGS, attributes=_ATTRIBUTES, protocols={"http", "https", "mailto", "data"}
    )


def _message(error: NotebookNode) -> NotebookNode:
    text = error.evalue.strip() or "a hidden test failed"
    line = f"{error.ename}: {text}"
    return new_output("error", ename=error.ename, evalue=text, traceback=[line])


def feedback(course: Course, name: str) -> list[str]:
    """Make the feedback pages of all graded submissions of an assignment, one core a share.

    Returns:
        The students who have one.

    Raises:
        FeedbackError: nothing was graded, or nbgrader refuses.
    """
    with course.gradebook() as gradebook:
        graded = sorted(results_of(gradebook, name))
    students = [one for one in graded if course.path("autograded", name, one).is_dir()]
    if not students:
        raise FeedbackError(
            f"nothing of '{name}' has been graded", f"run 'autograder grade {name}'"
        )
    cores = min(len(students), len(os.sched_getaffinity(0)))
    shares = [students[first::cores] for first in range(cores)]
    try:  # spawned: a fork would share the connection to the gradebook
        with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
            refusals = list(pool.map(_make_pages, repeat(course.root), repeat(name), shares))
    except BrokenExecutor as error:
        raise FeedbackError(
            f"a process that made the feedback of '{name}' was killed",
            f"free some memory, then run 'autograder feedback {name}' again",
        ) from error
    if refused := "; ".join(filter(None, refusals)):
        missing = [one for one in students if not course.path("feedback", name, one).is_dir()]
        whose = f" for {', '.join(missing)}; all others have theirs" if missing else f": {refused}"
        raise FeedbackError(
            f"nbgrader can't make the feedback of '{name}'{whose}",
            f"run 'autograder grade {name} --force', then feedback again",
        )
    return students


def _make_pages(root: Path, name: str, students: list[str]) -> str:
    """Let nbgrader make the pages of these students; what it refused, else nothing."""
    from nbgrader.converters import GenerateFeedback
    from nbgrader.converters.base import NbGraderException
    from nbgrader.coursedir import CourseDirectory

    course = Course(root)
    directory = CourseDirectory(config=course.config, root=str(root), assignment_id=name)
    there = {each.name for each in course.path("autograded", name, "x").parent.parent.iterdir()}
    directory.student_id_exclude = ",".join(there - set(students))
    log = logging.Logger("generate_feedback")
    log.addHandler(logging.NullHandler())
    converter = GenerateFeedback(coursedir=directory, config=course.config, log=log, force=True)
    if HideTests not in converter.preprocessors:
        converter.preprocessors = [HideTests, *converter.preprocessors]
    try:
        converter.start()
    except NbGraderException as error:
        return str(error)
    return ""
