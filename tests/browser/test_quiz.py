"""Quizzes as students meet them: a real JupyterLab, a real kernel, real clicks."""

from __future__ import annotations

import itertools
import json
import shutil
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import expect

from autograder.answers import right_answers
from course_utils.quiz import grade, log
from tests.quiz_sample import NAME, make_course
from tools.quizzes import bank

pytestmark = pytest.mark.browser

PRACTICE = """\
questions:
  - id: width
    kind: numeric
    text: A convolution $3 \\times 3$ on 227 pixels gives how many?
    unit: pixels
    hints: [HINT-ONE count the places, HINT-TWO the first and the last place]
    key:
      answer: 225
      tolerance: 0
      feedback: {224: MISCONCEPTION you subtracted 3}
      solution: SOLUTION-TEXT two fewer.
  - id: layer
    kind: single
    text: Which layer has weights?
    options: [pooling $\\max$, a convolution $W * x$]
    key:
      answer: 2
      feedback: {1: POOL-FEEDBACK nothing to learn}
      solution: SOLUTION-LAYER the convolution.
"""
folders = itertools.count()


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return make_course(tmp_path_factory.mktemp("quiz") / "exercises")


@pytest.fixture
def assignment(course, lab):
    """A student's copy of the released assignment, in the served folder."""
    folder = lab.root / f"student-{next(folders)}" / NAME
    shutil.copytree(course / "release" / NAME, folder)
    return folder


@pytest.fixture
def practice(lab):
    """A lecture with two practice questions."""
    folder = lab.root / f"lecture-{next(folders)}"
    (folder / "quiz").mkdir(parents=True)
    (folder / "quiz" / "practice.yaml").write_text(PRACTICE, encoding="utf-8")
    sources = 'from course_utils.quiz import ask\nask("width")', 'ask("layer")'
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, folder / "lecture.ipynb")
    return folder


@pytest.fixture
def run(open_notebook, lab):
    """Open a folder's notebook, run it, and give its question forms."""

    def do(folder, prepare=None):
        (path,) = folder.glob("*.ipynb")
        notebook = open_notebook(path.relative_to(lab.root), prepare)
        notebook.run_all()
        return notebook, forms(notebook)

    return do


def forms(notebook):
    found = notebook.page.locator(".course-quiz")
    expect(found).to_have_count(2)
    return found.nth(0), found.nth(1)


def name_student(form, student="ada"):
    form.get_by_label("Your student id").fill(student)
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("button", name="Submit my answer")).to_be_visible()


def choose(form, *numbers):
    for box in form.get_by_role("checkbox").all():
        box.set_checked(int(box.get_attribute("value")) in numbers)


def submit(form, button="Submit for good"):
    form.get_by_role("button", name="Submit my answer").click()
    form.get_by_role("button", name=button, exact=True).click()


def recorded(form):
    expect(form.get_by_role("status")).to_contain_text("Recorded:")
    return form.get_by_role("status").inner_text()


def points(course, folder, monkeypatch):
    """The points that the grade cells give, by question."""
    keys = course / "keys" / f"{NAME}.yaml"
    given = {}
    with monkeypatch.context() as patch:
        patch.chdir(folder)
        for name, question in bank.load(keys).questions.items():
            key = json.dumps(question.key.model_dump(exclude_defaults=True))
            try:
                grade(name, key)
                given[name] = question.points
            except AssertionError:
                given[name] = 0
    return given


def answers_of(folder, question="layers"):
    return [entry["answer"] for entry in log.read(folder).attempts(question)]


# ── the first attempt counts ────────────────────────────────────────────────────────────────────


def test_right_first_gets_full_points(course, assignment, run, monkeypatch):
    notebook, (layers, width) = run(assignment)
    name_student(layers)
    choose(layers, 1, 3)
    submit(layers)
    assert "Recorded: options 1 and 3" in recorded(layers)
    right = right_answers(course / "keys" / f"{NAME}.yaml", "ada")["width"]
    expect(width).to_contain_text(f"input of {right + 2:.0f} pixels")  # drawn once the id is known
    width.get_by_label("Your answer").fill(f"{right:.0f}")
    submit(width)
    recorded(width)
    assert points(course, assignment, monkeypatch) == {"layers": 2, "width": 1}
    assert log.inspect(assignment, "ada") == []
    notebook.run_all()  # the grade cells of the student's copy are content now
    assert notebook.problems() == []


def test_wrong_then_right_is_zero_through_restart_and_reload(course, assignment, run, monkeypatch):
    notebook, (layers, width) = run(assignment)
    name_student(layers)
    choose(layers, 1)
    submit(layers)
    receipt = recorded(layers)
    assert "Recorded: option 1" in receipt

    notebook.restart_and_run_all()
    layers, width = forms(notebook)
    assert recorded(layers) == receipt
    expect(layers.get_by_role("checkbox").nth(0)).to_be_checked()
    expect(layers.get_by_role("checkbox").nth(0)).to_be_disabled()

    notebook.command("docmanager:save")
    notebook.page.reload()
    notebook.page.wait_for_function("() => window.jupyterapp && window.jupyterapp.restored")
    notebook.wait_for_kernel()
    layers, width = forms(notebook)  # the kernel lives: the forms are back without running a cell
    assert recorded(layers) == receipt

    layers.get_by_role("button", name="Answer again").click()
    choose(layers, 1, 3)
    submit(layers, "Submit")
    expect(layers.get_by_role("status")).to_contain_text("Later answers: 1; they don't count")
    assert receipt.split("The verdict")[0] in recorded(layers)
    width.get_by_label("Your answer").fill("1")
    submit(width)
    recorded(width)
    assert answers_of(assignment) == [[1], [1, 3]]
    assert points(course, assignment, monkeypatch) == {"layers": 0, "width": 0}


@pytest.mark.parametrize("kernels", [1, 2])
def test_two_tabs_at_once_give_one_first_attempt(assignment, open_notebook, lab, kernels):
    path = assignment / f"{NAME}.ipynb"
    other = path if kernels == 1 else Path(shutil.copy(path, assignment / "copy.ipynb"))
    notebooks = [open_notebook(one.relative_to(lab.root)) for one in (path, other)]
    notebooks[0].run_all()
    first, _ = forms(notebooks[0])
    name_student(first)
    if kernels == 2:
        notebooks[1].run_all()
    second, _ = forms(notebooks[1])
    for form, chosen in ((first, (1,)), (second, (2,))):
        choose(form, *chosen)
        form.get_by_role("button", name="Submit my answer").click()
    for form in (first, second):  # neither waits for the other's answer
        form.get_by_role("button", name="Submit for good").evaluate("button => button.click()")
    expect(second.get_by_role("status")).to_contain_text("in another window")
    expect(second.get_by_role("checkbox").nth(0)).to_be_checked()
    recorded(first)
    assert answers_of(assignment) == [[1]]


def test_nothing_is_recorded_when_nobody_clicks(assignment, run):
    before = (assignment / log.LOG_NAME).read_bytes()
    notebook, (layers, _) = run(assignment)
    layers.get_by_label("Your student id").fill("ada")
    notebook.restart_and_run_all()
    notebook.command("docmanager:save")
    assert (assignment / log.LOG_NAME).read_bytes() == before
    assert not (assignment / log.SEAL_NAME).exists()


def test_going_back_records_nothing(assignment, run):
    _, (layers, _) = run(assignment)
    name_student(layers)
    layers.get_by_role("button", name="Submit my answer").click()
    expect(layers.get_by_role("status")).to_contain_text("Choose an option first.")
    choose(layers, 2)
    layers.get_by_role("button", name="Submit my answer").click()
    expect(layers.get_by_text("You have one attempt")).to_be_visible()
    layers.get_by_role("button", name="Go back").click()
    expect(layers.get_by_role("checkbox").nth(1)).to_be_checked()
    assert answers_of(assignment) == []


def test_a_page_that_sends_nonsense_is_answered_and_records_nothing(assignment, run):
    notebook, (layers, _) = run(assignment)
    name_student(layers)
    before = (assignment / log.LOG_NAME).read_bytes()
    nonsense = [
        {"do": "submit", "answer": one, "seen": 0} for one in ([], [9], "x", None, {"a": 1})
    ]
    nonsense += [{"do": "submit", "answer": [1], "seen": 5}, {"do": "submit", "answer": [1]}]
    nonsense += [{"do": "solution"}, {"do": "rm"}, [], "x", 3, {"do": "student", "student": " "}]
    for message in nonsense:
        notebook.page.evaluate(
            """async message => {
                const manager = [...(await window.jupyterapp.shell.currentWidget.sessionContext
                    .session.kernel.requestCommInfo({target_name: 'jupyter.widget'}))
                    .content.comms ? [] : []];
            }""",
            message,
        )
    assert (assignment / log.LOG_NAME).read_bytes() == before
