"""A student's way through a problem set: opened, filled in, run, answered, validated, graded."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

import nbformat
import pytest
from playwright.sync_api import expect

from autograder.authoring.release import release
from autograder.course import Course
from autograder.grading.attempt_logs import log_files, right_answers
from autograder.grading.grade import grade
from tests.browser.formgrader import formgrader, log_in, submission_url
from tests.browser.helpers import fill_in
from tools.lab import ROOT

pytestmark = pytest.mark.browser

STUDENT = "ada"
COMMENT = "Say how you would split the cameras."
expect.set_options(timeout=20_000)


@dataclass(frozen=True)
class Way:
    """A problem set as a student meets it: how much of each, and which digits a number needs.

    `essay`: the points of a text that waits for a person.
    """

    name: str
    solutions: int
    questions: tuple[str, str, str]
    digits: int
    points: int
    essay: int = 0

    def __str__(self):
        return self.name


WAYS = [
    Way("ps2_conv_arithmetic", 7, ("seven_slices", "dilated_size", "layer_macs"), 0, 24),
    Way("ps3_architectures", 11, ("norm_order", "two_modes", "running_variance"), 3, 28),
    Way("ps4_transfer_learning", 13, ("spoiled_test", "frozen_norm", "block_rate"), 4, 31, essay=4),
]


def released(way, tmp_path):
    """A copy of the course with this assignment only, released."""
    name = way.name
    parts = ("nbgrader_config.py", f"text/{name}.py", f"keys/{name}.yaml", f"source/{name}")
    for part in parts:
        ours, theirs = ROOT / "exercises" / part, tmp_path / "exercises" / part
        theirs.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if ours.is_dir() else shutil.copy)(ours, theirs)
    opened = Course(tmp_path / "exercises")
    release(opened, name)
    return opened


def answer(form, value, digits):
    """Give an answer and submit it for good."""
    if isinstance(value, list):
        for box in form.get_by_role("checkbox").all():
            box.set_checked(int(box.get_attribute("value")) in value)
    elif form.locator("input[type=radio]").count():
        form.locator(f"input[value='{value}']").check()
    else:
        form.get_by_label("Your answer").fill(f"{value:.{digits}f}")
    form.get_by_role("button", name="Submit my answer").click()
    form.get_by_role("button", name="Submit for good", exact=True).click()
    expect(form.get_by_role("status")).to_contain_text("Recorded:")


@pytest.mark.parametrize(
    "way",  # the first every day, the others with the slow tests
    [
        pytest.param(way, marks=pytest.mark.slow if at else (), id=way.name)
        for at, way in enumerate(WAYS)
    ],
)
def test_a_students_way_from_opening_to_full_marks(way, tmp_path, open_notebook, lab):
    name, course = way.name, released(way, tmp_path)
    folder = lab.root / name
    shutil.copytree(course.path("release", name), folder)
    notebook = open_notebook(f"{name}/{name}.ipynb")
    assert fill_in(notebook, name) == way.solutions
    notebook.run_all()
    unanswered = [problem for problem in notebook.problems() if "NoAttempt" not in problem]
    assert unanswered == []  # every visible test passes

    forms = notebook.page.locator(".course-quiz")
    expect(forms).to_have_count(3)
    forms.first.get_by_label("Your student id").fill(STUDENT)
    forms.first.get_by_role("button", name="Save").click()
    right = right_answers(course.root / "keys" / f"{name}.yaml", STUDENT)
    for index, question in enumerate(way.questions):
        answer(forms.nth(index), right[question], way.digits)

    notebook.command("docmanager:save")
    notebook.page.get_by_role("button", name="Validate").click()
    said = notebook.page.locator(".jp-Dialog", has_text="Validation Results")
    expect(said).to_contain_text("Your notebook passes all the tests", timeout=60_000)
    said.get_by_role("button").last.click()

    shutil.copytree(folder, course.path("submitted", name, STUDENT))
    [graded] = grade(course, name)
    assert (graded.student, graded.result.score, graded.result.max_score) == (
        STUDENT,
        way.points - way.essay,
        way.points,
    )


@pytest.mark.slow
def test_an_essay_is_marked_in_the_formgrader_and_the_mark_outlives_a_regrade(
    tmp_path, browser_context
):
    [way] = [way for way in WAYS if way.essay]
    name, course = way.name, released(way, tmp_path)
    hand_in(course, way, "I choose MS-COCO, because its labels are boxes.")
    [graded] = grade(course, name)
    assert (graded.result.cells["essay_source"].score, graded.result.score) == (None, 4)

    (tmp_path / "scratch").mkdir()
    with formgrader(course, tmp_path / "scratch") as lab:
        log_in(browser_context, lab)
        page = browser_context.new_page()
        page.goto(submission_url(course, lab, name, STUDENT))
        expect(page.get_by_text("I choose MS-COCO, because its labels are boxes.")).to_be_visible()
        for field, text in (("essay_source", "3"), ("essay_source-comment", COMMENT)):
            with page.expect_response(lambda said: "/api/" in said.url and said.ok):
                page.locator(f"#{field}").fill(text)
                page.locator(f"#{field}").blur()
        page.close()

    assert grade(course, name, force=True)
    with course.gradebook() as gradebook:
        mark = gradebook.find_grade("essay_source", name, name, STUDENT)
        comment = gradebook.find_comment("essay_source", name, name, STUDENT)
        assert (mark.score, comment.comment) == (3, COMMENT)
        assert gradebook.find_submission(name, STUDENT).score == 7


def hand_in(course, way, essay):
    """Hand in the release with the questions answered and this text, and no code."""
    notebook = nbformat.read(course.path("release", way.name) / f"{way.name}.ipynb", as_version=4)
    [cell] = [cell for cell in notebook.cells if cell.id == "essay_source"]
    assert "COCO" not in cell.source  # the model answer isn't released
    cell.source = essay
    folder = course.path("submitted", way.name, STUDENT)
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / f"{way.name}.ipynb")
    keys = course.root / "keys" / f"{way.name}.yaml"
    for file, content in log_files(keys, STUDENT, right_answers(keys, STUDENT).items()).items():
        (folder / file).write_bytes(content)
