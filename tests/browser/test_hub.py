"""A class on JupyterHub, in real browsers: from the first login to the grade in the feedback."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from autograder.grading.attempt_logs import right_answers
from tests import hub
from tests.browser.helpers import fill_in
from tools.lab import ROOT, Notebook, show_notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(1800)]

PS5 = "ps5_backpropagation"
KEYS = ROOT / "exercises" / "keys" / f"{PS5}.yaml"
STUDENTS = ["ada", "emmy", "grace"]
MOST_SECONDS = 12  # from the password to a usable Lab
LONG = 240_000  # ms; what may take its time on a busy computer
# A folder for pictures of the steps, to be looked at by a person.
PICTURES = os.environ.get("HUB_PICTURES")


@dataclass
class Class:
    """A hub with an instructor and three students, and the browser in which they work."""

    hub: hub.Hub
    browser: Browser
    contexts: dict[str, BrowserContext]

    def page(self, person: str) -> Page:
        """A new page of a person, who is logged in."""
        if person not in self.contexts:
            self.contexts[person] = self.browser.new_context(
                viewport={"width": 1400, "height": 900}
            )
            page = self.contexts[person].new_page()
            page.goto(f"{self.hub.url}/hub/login?next=%2Fhub%2Fhome")
            page.get_by_label("Username").fill(person)
            page.get_by_label("Password").fill(hub.PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url("**/hub/home")
            return page
        return self.contexts[person].new_page()

    def graders(self, person: str = "prof") -> Page:
        """The graders' Lab."""
        page = self.page(person)
        page.goto(f"{self.hub.url}/services/convnets/lab")
        usable(page)
        return page


def usable(page: Page) -> None:
    page.wait_for_function("() => window.jupyterapp && window.jupyterapp.restored", timeout=LONG)
    page.evaluate("async () => { await window.jupyterapp.restored; }")
    page.locator(".jp-DirListing-item").first.wait_for(timeout=LONG)


def command(page: Page, name: str, **arguments: object) -> None:
    page.evaluate(
        "async ([name, args]) => { await window.jupyterapp.commands.execute(name, args); }",
        [name, arguments],
    )


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png")


def open_notebook(page: Page, path: str) -> Notebook:
    show_notebook(page, path)
    return Notebook(page)


@pytest.fixture(scope="module")
def the_class(
    tmp_path_factory: pytest.TempPathFactory, browser_context: BrowserContext
) -> Iterator[Class]:
    log = tmp_path_factory.mktemp("hub") / "hub.log"
    with hub.computer() as machine:
        hub.set_up(machine, STUDENTS)
        port = hub.free_ports()
        hub.change_setting(machine, "HOST, PORT", ("127.0.0.1", port))
        # The verdict is given when the answer is recorded; the page's script can be asked.
        machine.run(
            "echo 'c.AttemptService.verdicts = \"at once\"'"
            " >> /home/grader/exercises/nbgrader_config.py\n"
            "for file in /etc/convnets/*/jupyter_server_config.py; do"
            " echo 'c.LabApp.expose_app_in_browser = True' >> $file; done"
        )
        running = hub.Hub(machine, port, log)
        yield Class(running, browser_context.browser, {})
        running.stop()


def test_a_student_opens_neither_grading_nor_what_others_have(the_class):
    page = the_class.page("emmy")
    for place in ("/services/convnets/lab", "/services/convnets/formgrader/"):
        assert page.goto(the_class.hub.url + place).status == 403
    assert page.goto(f"{the_class.hub.url}/user/grace/lab").status in (403, 404)
    machine = the_class.hub.machine
    inbound = "/srv/convnets/exchange/convnets/inbound"
    closed = ("/home/grader/exercises", "/home/grace", inbound, "/srv/convnets/hub")
    for place in (*closed, "/etc/convnets/students.txt"):
        assert "denied" in machine.run(f"ls {place} && cat {place}", "emmy", fails=True)


def in_terminal(page: Page, the_class: Class, text: str) -> str:
    """Type a command into a terminal of the graders' Lab; return what it printed."""
    command(page, "terminal:create-new")
    page.locator(".jp-Terminal:visible .xterm").wait_for()
    page.locator(".jp-Terminal:visible").click()
    page.keyboard.type(f"({text}) > ~/said 2>&1; echo $? > ~/status")
    page.keyboard.press("Enter")
    end = time.monotonic() + LONG / 1000
    status = ""
    while not status.strip():
        assert time.monotonic() < end, text
        time.sleep(0.5)
        status = the_class.hub.machine.run("cat ~grader/status 2>/dev/null || true")
    said = the_class.hub.machine.run("cat ~grader/said; rm ~grader/status")
    assert status.strip() == "0", said
    return said


def answer(notebook: Notebook, question: str, right: object) -> None:
    """Submit the right answer to a question; the verdict comes with the record."""
    form = notebook.output(f'ask("{question}")').locator(".course-quiz")
    form.scroll_into_view_if_needed()
    expect(form).to_contain_text("recorded by the course's attempt service as ada")
    if isinstance(right, list):
        for option in right:
            form.locator(f"input[value='{option}']").check()
    elif form.locator("input[type=radio]").count():
        form.locator(f"input[value='{right}']").check()
    else:
        form.get_by_label("Your answer").fill(str(right))
    form.get_by_role("button", name="Submit my answer").click()
    form.get_by_role("button", name="Submit for good", exact=True).click()
    expect(form.get_by_role("status")).to_contain_text("is right", timeout=LONG)


def test_from_the_login_to_the_grade(the_class):
    teacher = the_class.graders()
    in_terminal(teacher, the_class, f"autograder release ps5 && nbgrader release_assignment {PS5}")
    picture(teacher, "01-graders-terminal")

    # The student logs in and reads a lecture.
    the_class.page("ada").close()
    page = the_class.contexts["ada"].new_page()
    start = time.monotonic()
    page.goto(f"{the_class.hub.url}/hub/user-redirect/lab")
    usable(page)
    seconds = time.monotonic() - start
    print(f"from login to a usable Lab: {seconds:.1f} s")
    picture(page, "02-student-lab")
    lecture = open_notebook(page, "lectures/02_convolution_arithmetic.ipynb")
    lecture.run_all(LONG / 1000)
    assert lecture.problems() == []
    picture(page, "03-lecture")

    # Fetches the assignment, solves it, answers, and hands in.
    command(page, "nbgrader:open-assignment-list")
    released = page.locator("#released_assignments_list .list_item", has_text=PS5)
    released.wait_for(timeout=LONG)
    picture(page, "04-assignments")
    released.get_by_text("Fetch", exact=True).click()
    fetched = page.locator("#fetched_assignments_list .list_item", has_text=PS5).first
    fetched.wait_for(timeout=LONG)
    picture(page, "05-fetched")
    notebook = open_notebook(page, f"{PS5}/{PS5}.ipynb")
    fill_in(notebook, PS5)
    notebook.command("docmanager:save")
    notebook.run_all(LONG / 1000)
    unanswered = [problem for problem in notebook.problems() if "NoAttempt" not in problem]
    assert unanswered == []  # every visible test passes
    for question, right in right_answers(KEYS, "ada").items():
        answer(notebook, question, right)
    picture(page, "06-verdict")
    notebook.command("docmanager:save")
    command(page, "nbgrader:open-assignment-list")
    fetched.get_by_text("Submit", exact=True).click()
    submitted = page.locator("#submitted_assignments_list .list_item", has_text=PS5).first
    submitted.wait_for(timeout=LONG)
    picture(page, "07-submitted")

    # The instructor collects, grades and gives back.
    said = in_terminal(teacher, the_class, f"nbgrader collect {PS5} && autograder grade ps5")
    assert "24 / 24" in said
    in_terminal(teacher, the_class, f"autograder feedback ps5 && nbgrader release_feedback {PS5}")
    command(teacher, "nbgrader:open-formgrader")
    frame = teacher.frame_locator("#formgrader-iframe iframe")
    expect(frame.get_by_text(PS5).first).to_be_visible(timeout=LONG)
    picture(teacher, "08-formgrader")

    # The student sees the grade.
    page.locator("#refresh_assignments_list").click()
    submitted.get_by_text("Fetch Feedback", exact=True).click()
    picture(page, "09-feedback-fetched")
    folder = f"/home/ada/{PS5}/feedback"
    end = time.monotonic() + LONG / 1000
    find = f"find {folder} -name '*.html' 2>/dev/null || true"  # not there yet: prints nothing
    while not (pages := the_class.hub.machine.run(find)).strip():
        assert time.monotonic() < end
        time.sleep(0.5)
    path = pages.splitlines()[0].removeprefix("/home/ada/")  # a folder's name is a time
    page.goto(f"{the_class.hub.url}/user/ada/files/{quote(path)}")
    expect(page.get_by_text("Score: 24.0 / 24.0").first).to_be_visible()
    picture(page, "10-feedback")
    assert seconds <= MOST_SECONDS
