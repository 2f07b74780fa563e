"""nbgrader's formgrader on a course of a test's, as whoever marks it sees it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import BrowserContext

from autograder.course import Course
from tools.lab import Lab, jupyterlab


@contextmanager
def formgrader(course: Course, scratch: Path) -> Iterator[Lab]:
    """Serve the formgrader of `course` until the block ends; `scratch` is an empty folder."""
    (scratch / "config").mkdir()
    text = (course.root / "nbgrader_config.py").read_text()
    text += f"\nc.CourseDirectory.root = {str(course.root)!r}\n"
    (scratch / "config" / "nbgrader_config.py").write_text(text)
    with jupyterlab(course.root, scratch) as running:
        yield running


def log_in(context: BrowserContext, lab: Lab) -> None:
    page = context.new_page()
    page.goto(f"{lab.url}api/status?token={lab.token}")
    page.goto(f"{lab.url}tree?token={lab.token}")
    page.close()


def submission_url(course: Course, lab: Lab, assignment: str, student: str) -> str:
    """The page on which the submission is marked; the notebook is called like the assignment."""
    with course.gradebook() as gradebook:
        submission = gradebook.find_submission_notebook(assignment, assignment, student)
        return f"{lab.url}formgrader/submissions/{submission.id}/"
