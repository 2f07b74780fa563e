"""The site as a reader meets it: built, served on loopback, and no other server within reach."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from autograder.authoring import leaks
from autograder.course import Course
from tests.browser.helpers import median_redraw
from tools import site
from tools.lab import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(3600)]

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
PATIENCE = 60_000  # milliseconds; a busy machine is slow
SENTENCE = "() => document.querySelector('{}').textContent"


def key(target: str, one: str, other: str) -> str:
    return f"""turn => document.querySelector('{target}').dispatchEvent(
        new KeyboardEvent('keydown', {{key: turn % 2 ? '{other}' : '{one}', bubbles: true}}))"""


def slider(target: str, value: str) -> str:
    return f"""turn => {{
        const slider = document.querySelector('{target}');
        slider.value = {value};
        slider.dispatchEvent(new Event('input', {{bubbles: true}}));
    }}"""


STEP = """turn => document.querySelector(
    `.cp [data-by=${turn % 2 ? 'back' : 'product'}]`).click()"""
# For each interactive: its lecture, how it is turned (JavaScript), which text must change, and what
# the text says after the first turn.
INTERACTIVES = {
    ".px": ("00_welcome", key(".px canvas", "ArrowDown", "ArrowUp"), ".cx-sentence", "97"),
    ".ag": ("01_preprocessing", slider(".ag [name=turn]", "turn + 1"), ".cx-sentence", "1°"),
    ".ce": ("02_convolution_arithmetic", slider(".ce [name=size]", "15 + turn % 10"),
            "[data-fact=output]", "15×15×8"),
    ".cp": ("02_convolution_arithmetic", STEP, ".cx-sentence", "product 1 of 8"),
    ".ar": ("03_architectures", key(".ar svg", "ArrowRight", "ArrowLeft"), ".cx-sentence", "×"),
    ".fx": ("04_transfer_learning", key(".fx-picture", "ArrowDown", "ArrowUp"), ".cx-sentence",
            "row"),
    ".bp": ("05_backpropagation", key(".bp svg", "ArrowRight", "ArrowLeft"), ".cx-sentence",
            "p = w · x = 0.8 · 2 = 1.6"),
}  # fmt: skip
LECTURES = sorted({lecture for lecture, *_ in INTERACTIVES.values()})
# One page of each kind.
KINDS = [
    "index.html",
    "lectures.html",
    *(f"lectures/{name}.html" for name in LECTURES),
    "exercises/release/ps5_backpropagation/ps5_backpropagation.html",
    "docs/architecture.html",
    "docs/grading.html",
    "reference/arithmetic.html",
    "search.html",
]


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.site"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-5000:]


@pytest.fixture(scope="module")
def address(built: None) -> Iterator[str]:
    with site.served() as address:
        yield address


class Reader:
    """A page of the site in the browser, with what went wrong on it."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.wrong: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.route("**/*", self._answer)
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("pageerror", lambda error: self.wrong.append(f"pageerror: {error}"))
        page.on("requestfailed", lambda request: self.wrong.append(f"failed: {request.url}"))

    def _answer(self, route: Route) -> None:
        if route.request.url.startswith((self.address, "data:", "blob:")):
            route.continue_()
        else:
            self.wrong.append(f"asked another server: {route.request.url}")
            route.abort()

    def _hear(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.wrong.append(f"{kind}: {text}")

    def open(self, path: str, *, dark: bool = False) -> Page:
        mode = "dark" if dark else "light"
        self.page.add_init_script(f"localStorage.mode = localStorage.theme = '{mode}'")
        self.page.goto(self.address + path)
        for place in self.page.locator(".interactive").all():
            expect(place).to_have_attribute("data-ready", "", timeout=PATIENCE)
        for place in self.page.locator(".mermaid-diagram").all():
            expect(place.locator("svg")).to_be_visible(timeout=PATIENCE)
        return self.page


@pytest.fixture
def reader(browser_context: BrowserContext, address: str) -> Iterator[Reader]:
    reader = Reader(browser_context.new_page(), address)
    yield reader
    reader.page.close()


@pytest.mark.parametrize("name", INTERACTIVES)
def test_an_interactive_is_alive_without_a_kernel_and_redraws_within_50_milliseconds(name, reader):
    lecture, turn, text, says = INTERACTIVES[name]
    page = reader.open(f"lectures/{lecture}.html")
    page.locator(name).first.scroll_into_view_if_needed()
    before = page.locator(f"{name} {text}").first.inner_text()
    page.evaluate(f"({turn})(0)")
    expect(page.locator(f"{name} {text}").first).to_contain_text(says, timeout=PATIENCE)
    assert page.locator(f"{name} {text}").first.inner_text() != before
    page.evaluate(f"({turn})(1)")
    median = median_redraw(page, turn, SENTENCE.format(f"{name} {text}"))
    assert reader.wrong == []
    assert median <= 50


def test_a_figure_that_asks_python_says_that_there_is_none(reader):
    page = reader.open("lectures/01_preprocessing.html")
    note = page.locator(".interactive-note")
    expect(page.locator(".ag tbody th").first).to_have_text("Egyptian cat")
    expect(note).to_be_empty()
    page.locator(".ag [name=mirror]").check()
    expect(note).to_contain_text("Binder", timeout=PATIENCE)
    page.locator(".ag [data-reset]").click()
    expect(note).to_be_empty(timeout=PATIENCE)
    for name in ("Binder", "Google Colab"):
        assert "01_preprocessing" in page.get_by_role("link", name=name).get_attribute("href")


def test_a_question_shows_its_hints_and_its_solution_when_they_are_opened(reader):
    page = reader.open("lectures/05_backpropagation.html")
    question = page.locator(".question").first
    solution = question.locator("details", has_text="Solution").locator("> :not(summary)").first
    expect(solution).to_be_hidden()
    question.get_by_text("Solution", exact=True).click()
    expect(solution).to_be_visible()


@pytest.mark.parametrize("path", KINDS)
def test_a_page_fits_a_phone_is_accessible_in_both_modes_and_stays_with_its_server(path, reader):
    if not AXE.exists():
        pytest.skip("axe-core is not installed: make check installs it, with npm")
    for dark in (False, True):
        page = reader.open(path, dark=dark)
        for width in (400, 700, 1400):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.add_script_tag(content=AXE.read_text("utf-8"))
        found = page.evaluate(
            "async () => axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']})"
        )
        bad = [
            f"{rule['impact']} {rule['id']}: {rule['nodes'][0]['html'][:200]}"
            for rule in found["violations"]
        ]
        assert len(found["passes"]) > 10
        assert bad == [], f"dark: {dark}"
    assert reader.wrong == []


# ── what the files say ──


class Parsed(HTMLParser):
    """A page's links, the places that links may lead to, its files, pictures and text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.places: set[str] = set()
        self.unnamed: list[str] = []
        self.text = ""
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = dict(attrs)
        self.places |= {value for value in (has.get("id"), has.get("name")) if value}
        if tag == "a" and has.get("href"):
            self.links.append(str(has["href"]))
        if tag == "img" and "alt" not in has:  # an empty text says that a picture only decorates
            self.unnamed.append(str(has.get("src")))
        names = ("src", "data-script", "data-style", "data-values")
        self.loaded += [str(has[name]) for name in names if has.get(name)]
        if tag == "link" and has.get("rel") not in ("canonical", "index", "search", "next", "prev"):
            self.loaded.append(str(has["href"]))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def pages(built: None) -> dict[Path, Parsed]:
    return {path: Parsed(path) for path in site.HTML.rglob("*.html") if "_static" not in path.parts}


def test_no_link_within_the_site_is_broken_and_each_picture_has_a_text(pages):
    broken = defaultdict(list)
    for path, page in pages.items():
        for link in [*page.links, *page.loaded]:
            if link.startswith(("http:", "https:", "mailto:", "data:")):
                assert link not in page.loaded, f"{path} loads {link}"
                continue
            name, place = urldefrag(unquote(link.split("?")[0]))
            target = (path.parent / name).resolve() if name else path
            known = pages[target].places if target in pages else set()
            if not target.exists() or (place and target in pages and place not in known):
                broken[path.relative_to(site.HTML).as_posix()].append(link)
        assert page.unnamed == [], path
    assert len(pages) > 40
    assert broken == {}


def test_nothing_on_the_site_gives_away_a_hidden_test_a_solution_or_a_key(pages):
    course = Course(ROOT / "exercises")
    texts = {path.relative_to(site.HTML).as_posix(): page.text for path, page in pages.items()}
    released = {name: text.encode() for name, text in texts.items() if "release/" in name}
    others = {name: text.encode() for name, text in texts.items() if name not in released}
    assert released
    for name in course.assignments():
        assert leaks.find(released, leaks.secrets_of(course, name)) == []
        assert leaks.find(others, leaks.secrets_of(course, name, taught=True)) == []
