"""Adds an attempt log with its first line to the release of an assignment with questions."""

from __future__ import annotations

from pathlib import Path

from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

from autograder.errors import ReleaseError
from course_utils.quiz import bank, log


class StartLog(NbGraderPreprocessor):
    """Adds the log to the files that `nbgrader generate_assignment` writes.

    The log can't be in the source folder, because nbgrader copies the source folder over submitted
    files. Since every student gets the log, a submission without a log is one that lost it, not
    one without answers.
    """

    def preprocess(
        self, notebook: NotebookNode, resources: ResourcesDict
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Add the log to the resources; leave the notebook unchanged."""
        source = Path(resources["metadata"]["path"])
        questions = source / "quiz" / "questions.yaml"
        if logs := sorted(source.glob("attempts.*")):
            raise ReleaseError(
                f"{logs[0]} would take the place of every student's attempt log",
                "delete it, then release again",
            )
        if questions.exists():
            content = bank.load(questions, beside_notebook=True)
            line = log.first_line(content.assignment, content.versions)
            resources.setdefault("outputs", {})[log.LOG_NAME] = line.encode()
        return notebook, resources
