"""Ships the first line of the attempt log with an assignment that has graded questions."""

from __future__ import annotations

from pathlib import Path

from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

from autograder.errors import ReleaseError
from course_utils.quiz import bank, log


class StartLog(NbGraderPreprocessor):
    """Adds the file to what `nbgrader generate_assignment` writes.

    It can't lie in the source folder: nbgrader copies that over what students hand in. That the
    file was there from the start is how a log that is gone is told from one without answers.
    """

    def preprocess(
        self, notebook: NotebookNode, resources: ResourcesDict
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Change nothing in the notebook; add a file to the resources."""
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
