"""What is asked of every lecture in the browser: it runs cleanly, fits, and redraws at once."""

from __future__ import annotations

import re
import statistics
from itertools import product

import nbformat
from playwright.sync_api import Page, expect

from autograder.grading.attempt_logs import right_answers
from tools.lab import ROOT, Lab, Notebook


def assert_ran_cleanly(lecture: Notebook, lab: Lab) -> None:
    """No error and no warning in the notebook or the console, and nothing asked of the network."""
    assert lecture.problems() == []
    assert [line for line in lecture.console if line.startswith(("error", "pageerror"))] == []
    assert lecture.asked
    here = (lab.url, "data:", "blob:")
    assert [url for url in lecture.asked if not url.startswith(here)] == []


def assert_questions_take_their_answers(lecture: Notebook, name: str) -> None:
    """Every practice question of the lecture, answered with its key, says that it is right."""
    found = right_answers(ROOT / "lectures" / "quiz" / f"{name}.yaml", "")
    assert found
    for question, answer in found.items():
        form = lecture.output(f'ask("{question}")')
        if isinstance(answer, int | list) and form.locator("input[value]").count():
            for option in answer if isinstance(answer, list) else [answer]:
                form.locator(f"input[value='{option}']").check()
        else:
            form.get_by_label("Your answer").fill(str(answer))
        form.get_by_role("button", name="Check my answer").click()
        expect(form.get_by_role("status")).to_contain_text("Right.")


def fill_in(notebook: Notebook, name: str) -> int:
    """Write the reference's solutions into an assignment's open notebook; how many they are."""
    source = nbformat.read(ROOT / "exercises" / "source" / name / f"{name}.ipynb", as_version=4)
    solutions = {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in source.cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }
    filled = notebook.page.evaluate(
        """solutions => {
            const cells = window.jupyterapp.shell.currentWidget.content.widgets;
            const name = cell => cell.model.metadata.nbgrader?.grade_id;
            const empty = cells.filter(cell => name(cell) in solutions);
            empty.forEach(cell => cell.model.sharedModel.setSource(solutions[name(cell)]));
            return empty.length;
        }""",
        solutions,
    )
    assert filled == len(solutions)
    return filled


def median_redraw(page: Page, turn: str, shown: str) -> float:
    """Milliseconds from an input event until the browser has painted: the median of forty.

    Args:
        page: The page, with the explorer in view.
        turn: A JavaScript function of the turn's number, 0 to 39, that dispatches the event.
        shown: A JavaScript function of nothing that gives the text that each turn must change.
    """
    times = page.evaluate(
        f"""async () => {{
            const turn = {turn};
            const shown = {shown};
            // A frame's callback runs before the browser paints; a message sent from it, after.
            const painted = () => new Promise(done => requestAnimationFrame(() => {{
                const {{port1, port2}} = new MessageChannel();
                port1.onmessage = done;
                port2.postMessage(null);
            }}));
            const times = [];
            for (let number = 0; number < 40; number++) {{
                await painted();
                const before = shown();
                const start = performance.now();
                turn(number);
                await painted();
                times.push(performance.now() - start);
                if (shown() === before) throw new Error(`turn ${{number}} still shows ${{before}}`);
            }}
            return times;
        }}"""
    )
    median = statistics.median(times)
    print(f"redraw: median {median:.1f} ms, largest {max(times):.1f} ms")
    return median


def assert_readable(lecture: Notebook, body: str) -> None:
    """At half and full width in both themes nothing sticks out of `body` (CSS), and its text
    stands out against its ground by seven to one, as WCAG asks at its highest level."""
    page = lecture.page
    for dark, width in product((False, True), (700, 1400)):
        lecture.theme(dark)
        page.set_viewport_size({"width": width, "height": 900})
        page.locator(body).scroll_into_view_if_needed()
        assert _sticking_out(page, body) == [], f"{width} pixels"
        assert _contrast(page, body) >= 7, f"dark: {dark}"
    lecture.theme(False)


def _sticking_out(page: Page, body: str) -> list[str]:
    """The elements within `body` that reach beyond its right edge."""
    return page.evaluate(
        """body => {
            const edge = document.querySelector(body).getBoundingClientRect().right + 1;
            return [...document.querySelectorAll(`${body} *`)]
                .filter(element => element.getBoundingClientRect().right > edge)
                .map(element => element.outerHTML.slice(0, 80));
        }""",
        body,
    )


def _contrast(page: Page, body: str) -> float:
    """WCAG's contrast ratio of the text of `body` and its ground."""
    colours = page.evaluate(
        """body => {
            const style = getComputedStyle(document.querySelector(body));
            return [style.color, style.backgroundColor];
        }""",
        body,
    )
    dark, light = sorted(map(_luminance, colours))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    """Of a colour given as rgb(r, g, b) or rgba(r, g, b, a)."""
    *channels, alpha = [*map(float, re.findall(r"[\d.]+", colour)), 1.0][:4]
    assert alpha > 0.8, f"{colour}: see-through"
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (channel / 255 for channel in channels)
    ]
    return sum(a * b for a, b in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
