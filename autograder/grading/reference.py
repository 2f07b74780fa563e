"""The instructor's notebooks as submissions, for `verify` and for the check of a refusal."""

from __future__ import annotations

from nbformat import NotebookNode

from autograder.assignment import Assignment
from autograder.course import Course
from autograder.grading import attempt_logs
from autograder.grading.prepare import Prepared
from autograder.grading.restore import restore


def reference(course: Course, assignment: Assignment) -> Prepared:
    """The reference solution, with a right answer to every graded question."""
    return prepared(
        assignment, "reference", assignment.sources, attempt_log(course, assignment.name)
    )


def prepared(
    assignment: Assignment, name: str, notebooks: dict[str, NotebookNode], log: dict[str, bytes]
) -> Prepared:
    """The instructor's notebooks in the form that `prepare` gives a student's submission."""
    restored = {
        notebook_name: restore(notebook, assignment.masters[notebook_name])[0]
        for notebook_name, notebook in notebooks.items()
    }
    return Prepared.of(assignment, name, restored, log)


def attempt_log(course: Course, name: str, *, answered: bool = True) -> dict[str, bytes]:
    """The attempt log of an assignment with graded questions: all answered right, or none answered.

    An assignment without graded questions has no log: the result is {}.
    """
    keys = course.root / "keys" / f"{name}.yaml"
    if not keys.exists():
        return {}
    attempts = attempt_logs.right_answers(keys, "reference").items() if answered else ()
    return attempt_logs.log_files(keys, "reference", attempts)
