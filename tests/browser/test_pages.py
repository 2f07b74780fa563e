"""Pages that show a student's notebook, in a real browser: no script of the student's runs there.

Every attack has its control: on a page as nbgrader makes it most of them do run.
"""

from __future__ import annotations

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter
from nbgrader.server_extensions.formgrader.handlers import static_path, template_path
from playwright.sync_api import BrowserContext, Page, expect
from traitlets.config import Config

from autograder.assignment import Assignment
from autograder.course import Course
from autograder.grading.feedback import feedback
from autograder.grading.record import record
from autograder.grading.result import Result
from tests import page_attacks
from tests.browser.formgrader import formgrader, log_in, submission_url
from tests.conftest import WARMUP, make_course
from tests.page_attacks import ATTACKS, HONEST
from tools.lab import Lab

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

# One of each kind; the others are variants, or need what a page gets from the network.
CONTROLS = (
    *("width", "height", "jpeg-width", "filename-elsewhere", "grade-id"),
    *("svg-inline", "svg-animate", "html-in-lines", "markdown-output"),
    *("script", "img", "slashes", "form-feed", "svg-link", "details", "autofocus", "hover"),
    *("srcdoc", "iframe-elsewhere", "stylesheet", "style", "image-elsewhere", "link"),
    *("link-entity", "link-tab", "relative-page"),
    *("markdown-html", "markdown-link", "markdown-reference", "markdown-in-attribute"),
)
BOOTSTRAP = f"{static_path}/node_modules/bootstrap/dist/css"
# No dialog: a page that shows one can't be closed.
ALERT = "window.alert = () => console.log('a script ran')"
# What a reader may do: point at all there is, and follow every link that isn't to elsewhere.
POKE = """() => {
    for (const element of document.querySelectorAll('#notebook-container *')) {
        for (const kind of ['mouseover', 'mouseenter', 'focus', 'toggle'])
            element.dispatchEvent(new Event(kind));
        const link = element.closest('a');
        if (!link || !/^(https|mailto):/.test(link.href)) element.click?.();
    }
    return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""
LINKS = """() => [...document.querySelectorAll('#notebook-container a')]
    .map(link => link.getAttribute('href') ?? link.getAttribute('xlink:href') ?? '#')"""


@dataclass
class Site:
    """A folder of pages served on one port, and what was asked of another."""

    folder: Path
    here: str
    outside: str
    asked: list[str] = field(default_factory=list)

    def page(self, name: str, html: str) -> str:
        (self.folder / f"{name}.html").write_text(html, encoding="utf-8")
        return f"{self.here}/{name}.html"

    def notebook(self, cells: page_attacks.Cells) -> nbformat.NotebookNode:
        """A notebook as it is handed in, with the address of the server that is elsewhere."""
        cells = json.loads(json.dumps(cells).replace("OUTSIDE", self.outside))
        metadata = json.loads(json.dumps(page_attacks.ABOUT))
        about = {"nbformat": 4, "nbformat_minor": 4, "metadata": metadata, "cells": cells}
        return nbformat.reads(json.dumps(about), as_version=4)  # joins what is a list of lines


@contextmanager
def _server(handler: type | functools.partial) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    asked: list[str] = []

    class Elsewhere(_Quiet):
        def do_GET(self) -> None:  # and POST, which the base class answers with an error
            asked.append(self.path)
            self.send_error(404)

    with (
        _server(functools.partial(_Quiet, directory=folder)) as here,
        _server(Elsewhere) as outside,
    ):
        yield Site(folder, f"http://{here}", outside, asked)


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Course:
    return make_course(tmp_path_factory.mktemp("pages") / "course", {"warmup": WARMUP})


@functools.cache
def _exporter(kind: str, course: Course | None) -> HTMLExporter:
    own = Config()
    own.HTMLExporter.template_name = kind
    own.HTMLExporter.extra_template_basedirs = [template_path]
    own.HTMLExporter.extra_template_paths = [BOOTSTRAP]
    if course:
        own.merge(course.config)
    return HTMLExporter(config=own)


def exported(notebook: nbformat.NotebookNode, kind: str, course: Course | None) -> str:
    """A notebook's page as nbgrader makes it in a course: "feedback" or "formgrade"."""
    about = {"name": "warmup", "path": ""}
    if kind == "feedback":
        grades = {"notebook": "warmup", "score": 1, "max_score": 2, "late_penalty": 0}
        resources = {"metadata": about, "nbgrader": grades}
    else:
        names = "assignment_id notebook_id submission_id base_url student last_name first_name"
        resources = dict.fromkeys([*names.split(), "notebook_path"], "x")
        resources |= {"metadata": about, "index": 0, "total": 1}
    return _exporter(kind, course).from_notebook_node(notebook, resources=resources)[0]


def happened(context: BrowserContext, site: Site, url: str, milliseconds: int = 5000) -> list[str]:
    """What a student's script, or a request of the page's to elsewhere, showed."""
    seen: list[str] = []
    page = context.new_page()
    page.set_default_timeout(milliseconds)  # only a page that went elsewhere ever takes so long
    page.add_init_script(ALERT)
    page.on("console", lambda said: seen.append("script") if said.text == "a script ran" else None)
    page.route(
        lambda asked: not asked.startswith(("http://127.0.0.1:", "data:")),
        lambda route: route.abort(),
    )
    del site.asked[:]
    try:
        page.goto(url, wait_until="load")
        links = page.evaluate(LINKS)
        page.evaluate(POKE)
        page.wait_for_load_state("load")
        seen += [f"link {one}" for one in links if not one.startswith(("https:", "mailto:", "#"))]
        seen += ["title"] if page.title() == "taken" else []
        seen += (
            [] if page.url.split("#")[0].split("?index=")[0] == url else [f"left for {page.url}"]
        )
    except Exception as error:  # the page went elsewhere while it was looked at
        seen.append(f"left ({type(error).__name__})")
    finally:
        page.close()
    return [*seen, *(f"asked {path}" for path in site.asked)]


@pytest.mark.slow  # page by page; all attacks at once on a page are tried below
@pytest.mark.parametrize("kind", ["feedback", "formgrade"])
def test_no_attack_runs_on_a_page(kind, course, site, browser_context):
    found = {}
    for name, cells in ATTACKS.items():
        page = exported(site.notebook(cells), kind, course)
        if seen := happened(browser_context, site, site.page(f"{kind}-{name}", page)):
            found[name] = seen
    assert found == {}


def test_the_same_attacks_run_on_a_page_as_nbgrader_makes_it(site, browser_context):
    harmless = []
    for name in CONTROLS:
        page = exported(site.notebook(ATTACKS[name]), "feedback", None)
        if not happened(browser_context, site, site.page(f"stock-{name}", page)):
            harmless.append(name)
    assert harmless == []


def test_the_policy_alone_stops_what_the_allow_list_would_miss(course, site, browser_context):
    """The second wall: no script runs where the allow-list has a hole."""
    page = exported(site.notebook(ATTACKS["img"]), "feedback", course)
    for attack in (page_attacks.IMG, page_attacks.SCRIPT):
        open_page = page.replace("</body>", f"{attack}</body>")
        assert attack in open_page
        assert happened(browser_context, site, site.page("policy", open_page)) == []
        bare = open_page.replace("Content-Security-Policy", "Content-No-Policy")
        assert "script" in happened(browser_context, site, site.page("no-policy", bare))


@pytest.fixture(scope="module")
def recorded(course, site) -> Course:
    """Recorded as graded: one who means no harm, and one who hands in every attack at once."""
    whole = [cell for name, cells in ATTACKS.items() if "grade-id" not in name for cell in cells]
    assignment = Assignment.load(course, "warmup")
    graded = assignment.masters["warmup"].cells
    with course.gradebook() as gradebook:
        for student, cells in (("honest", HONEST), ("mallory", whole)):
            notebook = site.notebook(cells)
            notebook.cells = [*graded, *notebook.cells]
            notebook = nbformat.from_dict(
                json.loads(json.dumps(notebook, ensure_ascii=False).encode("utf-8", "replace"))
            )
            result = Result("warmup", student, "graded", {})
            files = {"evil.html": b"<script>alert(1)</script>"}
            record(course, gradebook, assignment, "key", result, {"warmup": notebook}, files, None)
    return course


@pytest.fixture(scope="module")
def pages(recorded) -> dict[str, Path]:
    students = feedback(recorded, "warmup")
    folder = recorded.path("feedback", "warmup", "x").parent.parent
    return {one: folder / one / "warmup" / "warmup.html" for one in students}


@pytest.fixture(scope="module")
def marking(recorded, tmp_path_factory) -> Iterator[Lab]:
    with formgrader(recorded, tmp_path_factory.mktemp("formgrader")) as running:
        yield running


def test_no_script_runs_in_the_feedback_of_all_attacks_at_once(pages, site, browser_context):
    content = pages["mallory"].read_text()
    assert "alert(1)" in content
    assert happened(browser_context, site, site.page("mallory", content)) == []


def test_no_script_runs_in_the_formgrader(recorded, marking, site, browser_context):
    log_in(browser_context, marking)
    url = submission_url(recorded, marking, "warmup", "mallory")
    assert happened(browser_context, site, url, 60_000) == []


def test_the_formgrader_still_grades(recorded, marking, browser_context):
    log_in(browser_context, marking)
    page = browser_context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(submission_url(recorded, marking, "warmup", "honest"))
    score = page.locator("#test_area")
    expect(score).to_be_visible()
    with page.expect_response(lambda answer: "/api/grade/" in answer.url) as saved:
        score.fill("1.5")
        score.blur()
    assert saved.value.ok
    page.locator(".glyphicon-eye-open").click()  # shows the student's name
    expect(page.locator(".name-shown").first).to_be_visible()
    assert_all_is_seen(page)
    assert [text for text in said if "favicon" not in text] == []
    page.close()
    with recorded.gradebook() as gradebook:
        grade = gradebook.find_grade("test_area", "warmup", "warmup", "honest")
        assert grade.manual_score == 1.5


def test_feedback_shows_all_that_an_honest_notebook_has(pages, site, browser_context):
    page = browser_context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(site.page("honest", pages["honest"].read_text()))
    assert_all_is_seen(page)
    assert [text for text in said if "favicon" not in text and "404" not in text] == []
    page.close()


def assert_all_is_seen(page: Page) -> None:
    body = page.locator("#notebook-container").last  # classic nests two of that name
    widths = "images => images.map(one => [one.naturalWidth > 0, one.getAttribute('width')])"
    pictures = body.locator("img").evaluate_all(widths)
    assert pictures == [[True, "40"], [True, None], [True, None]]
    assert body.locator("table.dataframe td").inner_text() == "1.5"
    assert "scoped" not in body.inner_text()
    assert ".dataframe {" not in body.inner_text()
    assert body.locator("math").count() == 4
    width, height = body.locator("mfrac").evaluate("one => [one.clientWidth, one.clientHeight]")
    assert height > width > 0  # a fraction, not a line of letters
    assert body.get_by_role("link", name="docs").get_attribute("href") == (
        "https://example.org/a?b=1&c=2"
    )
    assert body.locator("td strong").inner_text() == "1"
    red = body.locator(".ansi-red-fg")
    assert red.inner_text() == "ValueError"
    terminal = body.locator("span[style]", has_text="def")
    assert terminal.evaluate("one => one.style.color") == "rgb(0, 135, 0)"
    assert body.locator(".highlight .k", has_text="def").count() >= 1
    assert "5 < 6 & 7" in body.inner_text()
