"""Quizzes as students meet them: a real JupyterLab, a real kernel, real clicks."""

from __future__ import annotations

import itertools
import json
import shutil
import signal
import statistics
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import expect

from autograder.grading.attempt_logs import right_answers
from course_utils.quiz import grade, log
from tests.attempt_service import service
from tests.quiz_sample import CANARIES, NAME, make_course
from tools.quizzes import bank

pytestmark = pytest.mark.browser

PRACTICE = """\
questions:
  - id: width
    kind: numeric
    text: A convolution $3 \\times 3$ on 227 pixels gives how many?
    unit: pixels
    tolerance: 0
    hints: [HINT-ONE count the places, HINT-TWO the first and the last place]
    key:
      answer: 225
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
expect.set_options(timeout=20_000)  # a busy machine is slow; a fault is one after 20 s as well


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
            key = yaml.safe_dump(question.key.model_dump(exclude_defaults=True))
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
    assert log.inspect(log.read(assignment), "ada") == []
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
    notebook = open_notebook(path.relative_to(lab.root))
    notebook.run_all()
    first, _ = forms(notebook)
    name_student(first)
    notebook.command("docmanager:save")
    # The same notebook shares the kernel; a copy beside it has its own, and the same log.
    other = path if kernels == 1 else Path(shutil.copy(path, assignment / "copy.ipynb"))
    notebook = open_notebook(other.relative_to(lab.root))
    if kernels == 2:
        notebook.run_all()
    second, _ = forms(notebook)
    for form, chosen in ((first, (1,)), (second, (2,))):
        choose(form, *chosen)
        form.get_by_role("button", name="Submit my answer").click()
    for form in (first, second):  # neither waits for the other's answer
        form.get_by_role("button", name="Submit for good").evaluate("button => button.click()")
    if kernels == 2:  # pages of one kernel may learn of the answer before their own click
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


# ── what the page is told, and when ─────────────────────────────────────────────────────────────


class Traffic:
    """Everything that went through the page's websockets, both ways."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []

    def listen(self, page):
        page.on("websocket", self._on_socket)

    def _on_socket(self, socket):
        socket.on("framesent", self._on_frame)
        socket.on("framereceived", self._on_frame)

    def _on_frame(self, payload):
        self.frames.append(payload if isinstance(payload, bytes) else payload.encode())

    def has(self, text):
        return any(text.encode() in frame for frame in self.frames)


def test_a_practice_key_reaches_the_page_only_after_an_answer(practice, run):
    traffic = Traffic()
    notebook, (width, layer) = run(practice, traffic.listen)
    secrets = ("SOLUTION-TEXT", "MISCONCEPTION", "SOLUTION-LAYER", "POOL-FEEDBACK")

    def told():
        page = notebook.page.content()
        return {text for text in secrets if traffic.has(text) or text in page}

    assert traffic.has("A convolution")  # the frames are readable
    assert told() == set()

    assert "HINT-ONE" not in notebook.page.content()
    expect(width.get_by_role("button", name="Complete solution")).to_have_count(0)
    width.get_by_role("button", name="Hint (2 left)").click()
    expect(width.get_by_text("HINT-ONE")).to_be_visible()
    assert not traffic.has("HINT-TWO")
    width.get_by_role("button", name="Next hint (1 left)").click()
    expect(width.get_by_text("HINT-TWO")).to_be_visible()
    expect(width.get_by_role("button", name="hint")).to_have_count(0)
    assert told() == set()

    width.get_by_label("Your answer in pixels").fill("200")
    width.get_by_role("button", name="Check my answer").click()
    expect(width.get_by_role("status")).to_contain_text("Not yet")
    assert told() == set()  # a wrong answer tells what is said to it, and no more
    width.get_by_label("Your answer in pixels").fill("224")
    width.get_by_role("button", name="Check my answer").click()
    expect(width.get_by_text("you subtracted 3")).to_be_visible()
    assert told() == {"MISCONCEPTION"}
    width.get_by_role("button", name="Complete solution").click()
    expect(width.get_by_text("SOLUTION-TEXT")).to_be_visible()

    layer.get_by_role("radio").nth(1).check()
    layer.get_by_role("button", name="Check my answer").click()
    expect(layer.get_by_role("status")).to_have_text("Right.")
    expect(layer.get_by_text("SOLUTION-LAYER")).to_be_visible()
    assert told() == {"SOLUTION-TEXT", "MISCONCEPTION", "SOLUTION-LAYER"}


def test_a_graded_key_reaches_the_page_never(assignment, run):
    traffic = Traffic()
    notebook, (layers, width) = run(assignment, traffic.listen)
    name_student(layers)
    layers.get_by_role("button", name="Hint").click()
    choose(layers, 2)
    submit(layers)
    recorded(layers)
    width.get_by_label("Your answer").fill("1")
    submit(width)
    recorded(width)
    notebook.restart_and_run_all()
    assert traffic.has("Which layers have parameters")
    page = notebook.page.content()
    for canary in CANARIES:
        assert not traffic.has(canary), canary
        assert canary not in page, canary


def test_practice_may_be_tried_again_and_is_remembered(practice, run):
    notebook, (_, layer) = run(practice)
    for number, says in ((0, "Not yet"), (1, "Right.")):
        layer.get_by_role("radio").nth(number).check()
        layer.get_by_role("button", name="Check my answer").click()
        expect(layer.get_by_role("status")).to_contain_text(says)
    notebook.restart_and_run_all()
    _, layer = forms(notebook)
    expect(layer.get_by_role("status")).to_have_text("Right.")
    expect(layer.get_by_role("radio").nth(1)).to_be_checked()


# ── without a kernel, without a mouse ───────────────────────────────────────────────────────────


def test_without_a_kernel_the_question_and_the_record_can_be_read(
    assignment, run, open_notebook, lab
):
    notebook, (layers, _) = run(assignment)
    static = notebook.page.locator(".jp-RenderedMarkdown", has_text="Which layers have parameters")
    expect(static).to_have_count(1)
    expect(static).to_be_hidden()  # the live form stands in its place
    name_student(layers)
    choose(layers, 2)
    submit(layers)
    recorded(layers)
    notebook.command("docmanager:save")
    page = notebook.page
    page.evaluate("async () => window.jupyterapp.serviceManager.sessions.shutdownAll()")
    page.reload()
    static = page.locator(".jp-RenderedMarkdown", has_text="Which layers have parameters")
    expect(static).to_be_visible()
    expect(static).to_contain_text("max pooling")
    expect(static).to_contain_text("Recorded: option 2")
    expect(page.locator(".course-quiz")).to_have_count(0)


def test_a_stopped_kernel_is_named_and_nothing_is_claimed(assignment, run):
    notebook, (layers, _) = run(assignment)
    name_student(layers)
    choose(layers, 2)
    notebook.page.evaluate(
        "async () => { await window.jupyterapp.shell.currentWidget.sessionContext.shutdown(); }"
    )
    submit(layers)
    expect(layers.get_by_role("status")).to_contain_text("Nothing is recorded", timeout=10_000)
    assert answers_of(assignment) == []


def test_everything_can_be_done_with_the_keyboard(assignment, run):
    notebook, (layers, _) = run(assignment)
    page = notebook.page
    keys = page.keyboard
    cells = len(notebook.cells())
    page.locator(".jp-Notebook").focus()
    for _ in range(60):
        keys.press("Tab")
        if page.evaluate("() => !!document.activeElement.closest('.course-quiz')"):
            break
    expect(layers.get_by_label("Your student id")).to_be_focused()
    keys.type("ada")
    keys.press("Enter")
    expect(layers.get_by_role("checkbox").first).to_be_visible()
    layers.get_by_label("Your student id").focus()
    for _ in range(2):  # over the button that corrects the id
        keys.press("Tab")
    expect(layers.get_by_role("checkbox").first).to_be_focused()
    keys.press("Space")
    keys.press("d")  # twice, it would delete the cell, if JupyterLab took the keys
    keys.press("d")
    keys.press("a")
    for _ in range(3):
        keys.press("Tab")
    expect(layers.get_by_role("button", name="Submit my answer")).to_be_focused()
    keys.press("Enter")
    expect(layers.get_by_role("button", name="Submit for good")).to_be_focused()
    keys.press("Escape")
    expect(layers.get_by_role("button", name="Submit my answer")).to_be_focused()
    keys.press("Enter")
    expect(layers.get_by_role("button", name="Submit for good")).to_be_focused()
    keys.press("Enter")
    recorded(layers)
    assert answers_of(assignment) == [[1]]
    assert len(notebook.cells()) == cells


def test_a_screen_reader_finds_names_and_news(assignment, practice, run):
    _, (layers, _) = run(assignment)
    expect(layers).to_have_attribute("aria-label", "Graded question")
    name_student(layers)
    group = layers.get_by_role("group", name="Choose all that apply.")
    expect(group.get_by_role("checkbox", name="max pooling")).to_have_count(1)
    described = group.get_attribute("aria-describedby")
    expect(layers.locator(f"#{described}")).to_contain_text("Which layers have parameters")
    expect(layers.get_by_role("status")).to_have_count(1)
    _, (width, layer) = run(practice)
    expect(width.get_by_role("textbox", name="Your answer in pixels")).to_have_count(1)
    expect(layer.get_by_role("radio")).to_have_count(2)
    expect(layer.locator("math")).to_have_count(2)  # set by the browser, read by a screen reader


@pytest.mark.parametrize("dark", [False, True])
def test_text_can_be_read_in_both_themes_and_widths(practice, run, dark):
    notebook, (width, layer) = run(practice)
    notebook.theme(dark)
    layer.get_by_role("radio").nth(0).check()
    layer.get_by_role("button", name="Check my answer").click()
    expect(layer.get_by_role("status")).to_contain_text("Not yet")
    for size in (700, 1400):
        notebook.page.set_viewport_size({"width": size, "height": 900})
        for form in (width, layer):
            wide, room = form.evaluate("form => [form.scrollWidth, form.clientWidth]")
            assert wide <= room
        assert min(layer.evaluate(CONTRASTS)) >= 4.5
    notebook.page.set_viewport_size({"width": 1400, "height": 900})
    notebook.theme(False)


# The contrast (WCAG) of every text with the ground behind it.
CONTRASTS = """form => {
  const rgb = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = node => {
    for (; node; node = node.parentElement) {
      const found = rgb(getComputedStyle(node).backgroundColor);
      if (found[3] !== 0) return found;
    }
    return [255, 255, 255];
  };
  return [...form.querySelectorAll('span, p, legend, button, li, small, strong, [role=status]')]
    .filter(node => node.checkVisibility() && node.innerText.trim())
    .map(node => [light(rgb(getComputedStyle(node).color)), light(ground(node))])
    .map(([a, b]) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
}"""


# ── the attempt service ─────────────────────────────────────────────────────────────────────────


def test_the_service_records_tells_the_verdict_and_says_when_it_is_down(
    course, assignment, run, tmp_path
):
    root = Path(shutil.copytree(course, tmp_path / "exercises"))
    with (root / "nbgrader_config.py").open("a") as config:
        config.write('\nc.AttemptService.verdicts = "at once"\n')
    with service(root, ["ada"], []) as running:
        file = {"url": running.url, "student": "ada", "token": running.token("ada")}
        (assignment.parent / "attempt-service.json").write_text(json.dumps(file))
        _, (layers, width) = run(assignment)
        for form in (layers, width):
            expect(form).to_contain_text("recorded by the course's attempt service as ada")
            expect(form.get_by_label("Your student id")).to_have_count(0)
        choose(layers, 1, 2)
        submit(layers)
        expect(layers.get_by_role("status")).to_contain_text("options 1 and 2, is not right")
        expect(layers).to_contain_text("CANARY-FEEDBACK")
        expect(layers).to_contain_text("CANARY-SOLUTION")

        port = running.port
        running.stop(signal.SIGKILL)
        width.get_by_label("Your answer").fill("7")
        submit(width)
        expect(width.get_by_role("status")).to_contain_text("Not recorded")
        expect(width.get_by_role("status")).to_contain_text("doesn't answer")
        expect(width.get_by_label("Your answer")).to_have_value("7")
        assert answers_of(assignment, "width") == []  # nothing is kept to be sent later

        running.start(port)
        assert running.client("ada").state(NAME, "width")["attempts"] == []
        submit(width)
        expect(width.get_by_role("status")).to_contain_text("Your first answer, 7, is not right")
        state = running.client("ada").state(NAME, "width")
        assert [attempt["answer"] for attempt in state["attempts"]] == [7.0]


# ── time ────────────────────────────────────────────────────────────────────────────────────────

# From the click to the frame in which the answer is painted.
CLICK = """button => new Promise(resolve => {
  const status = button.closest('.course-quiz').querySelector('[role=status]');
  const start = performance.now();
  new MutationObserver((_, observer) => {
    observer.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - start)));
  }).observe(status, {childList: true, characterData: true, subtree: true});
  button.click();
})"""


def test_from_click_to_feedback_takes_no_longer_than_a_quarter_of_a_second(practice, run):
    _, (_, layer) = run(practice)
    button = layer.get_by_role("button", name="Check my answer")
    times = []
    for turn in range(21):
        layer.get_by_role("radio").nth(turn % 2).check()
        times.append(button.evaluate(CLICK))
        expect(layer.get_by_role("status")).to_contain_text(("Not yet", "Right.")[turn % 2])
    assert len(answers_of(practice, "layer")) == 21  # each was on the disk before it was shown
    print(f"click to feedback: median {statistics.median(times):.0f} ms, max {max(times):.0f} ms")
    assert statistics.median(times) <= 250
