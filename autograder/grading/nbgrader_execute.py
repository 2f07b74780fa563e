"""Lets nbgrader's own commands (`nbgrader autograde`, the formgrader's button) use this engine."""

from __future__ import annotations

from pathlib import Path

from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

from autograder.assignment import Assignment
from autograder.course import Course
from autograder.grading.execute import execute
from autograder.grading.prepare import Prepared, read_files
from autograder.grading.restore import restore
from autograder.grading.settings import Settings, require_isolation
from autograder.grading.warm_up import warm_processes


class Execute(NbGraderPreprocessor):
    """Takes the place of nbgrader's `Execute` in `Autograde.autograde_preprocessors`.

    The engine makes the notebook's outputs. nbgrader's own `SaveAutoGrades` reads from them the
    same scores that `autograder grade` gives.
    """

    def preprocess(
        self, notebook: NotebookNode, resources: ResourcesDict
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Run one submitted notebook, which nbgrader has put into the autograded folder."""
        require_isolation()
        names = resources["nbgrader"]
        course = Course.find(Path.cwd())
        assignment = Assignment.load(course, names["assignment"])
        name = names["notebook"]
        restored, notes = restore(notebook, assignment.masters[name])
        folder = course.path("autograded", assignment.name, names["student"])
        files = read_files(course, folder, {f"{name}.ipynb"}, notes, assignment.files)
        for note in notes:
            self.log.warning("%s: %s", names["student"], note)
        prepared = Prepared.of(assignment, names["student"], {name: restored}, files, notes)
        settings = Settings.of(course)
        with warm_processes(assignment.sources.values(), settings) as warm:
            executed = execute(prepared, warm, settings)
        if executed.reason:
            self.log.warning("%s: %s", names["student"], executed.reason)
        return executed.notebooks[name], resources
