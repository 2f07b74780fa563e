"""A student's way through problem set 4: opened, filled in, run, answered, validated, graded."""

from __future__ import annotations

import shutil

import nbformat
import pytest
from playwright.sync_api import expect

from autograder.answers import right_answers
from autograder.course import Course
from autograder.grade import grade
from autograder.release import release
from tools.lab import ROOT

pytestmark = pytest.mark.browser

NAME = "ps4_transfer_learning"
STUDENT = "ada"
expect.set_options(timeout=20_000)


@pytest.fixture
def course(tmp_path):
    """A copy of the course with this assignment only, released."""
    parts = ("nbgrader_config.py", f"text/{NAME}.py", f"keys/{NAME}.yaml", f"source/{NAME}")
    for part in parts:
        ours, theirs = ROOT / "exercises" / part, tmp_path / "exercises" / part
        theirs.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if ours.is_dir() else shutil.copy)(ours, theirs)
    opened = Course(tmp_path / "exercises")
    release(opened, NAME)
    return opened


def fill_in(notebook):
    """Write the reference's solutions into the solution cells of the page."""
    source = nbformat.read(ROOT / "exercises" / "source" / NAME / f"{NAME}.ipynb", as_version=4)
    solutions = {
        cell.id: cell.source
        for cell in source.cells
        if cell.metadata.get("nbgrader", {}).get("solution")  # the essay is one, too
    }
    filled = notebook.page.evaluate(
        """solutions => {
            const cells = window.jupyterapp.shell.currentWidget.content.widgets;
            const empty = cells.filter(cell => cell.model.id in solutions);
            empty.forEach(cell => cell.model.sharedModel.setSource(solutions[cell.model.id]));
            return empty.length;
        }""",
        solutions,
    )
    assert filled == len(solutions) == 13


def answer(form, value):
    """Give an answer and submit it for good."""
    if isinstance(value, list):
        for box in form.get_by_role("checkbox").all():
            box.set_checked(int(box.get_attribute("value")) in value)
    elif form.get_by_role("radio").count():
        form.locator(f"input[value='{value}']").check()
    else:
        form.get_by_label("Your answer").fill(f"{value:.4f}")
    form.get_by_role("button", name="Submit my answer").click()
    form.get_by_role("button", name="Submit for good", exact=True).click()
    expect(form.get_by_role("status")).to_contain_text("Recorded:")


def test_a_students_way_from_opening_to_full_marks(course, open_notebook, lab):
    folder = lab.root / NAME
    shutil.copytree(course.path("release", NAME), folder)
    notebook = open_notebook(f"{NAME}/{NAME}.ipynb")
    fill_in(notebook)
    notebook.run_all()
    unanswered = [problem for problem in notebook.problems() if "NoAttempt" not in problem]
    assert unanswered == []  # every visible test passes

    forms = notebook.page.locator(".course-quiz")
    expect(forms).to_have_count(3)
    forms.first.get_by_label("Your student id").fill(STUDENT)
    forms.first.get_by_role("button", name="Save").click()
    right = right_answers(course.root / "keys" / f"{NAME}.yaml", STUDENT)
    for index, question in enumerate(("spoiled_test", "frozen_norm", "block_rate")):
        answer(forms.nth(index), right[question])

    notebook.command("docmanager:save")
    notebook.page.get_by_role("button", name="Validate").click()
    said = notebook.page.locator(".jp-Dialog", has_text="Validation Results")
    expect(said).to_contain_text("Your notebook passes all the tests", timeout=60_000)
    said.get_by_role("button").last.click()

    shutil.copytree(folder, course.path("submitted", NAME, STUDENT))
    [graded] = grade(course, NAME)
    assert (graded.student, graded.result.score, graded.result.max_score) == (STUDENT, 27, 31)
