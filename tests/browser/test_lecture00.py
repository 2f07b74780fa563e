"""Lecture 0 as a student meets it: opened in JupyterLab, run, and played with."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from course_utils.data import load_photograph
from tests.browser.helpers import assert_ran_cleanly, assert_readable, median_redraw

pytestmark = pytest.mark.browser

LECTURE = "lectures/00_welcome.ipynb"
READY = ".px td"
ROW, COLUMN = 96, 138  # where the lecture puts the lens


@pytest.fixture
def page(lecture):
    lecture.page.locator(".px").scroll_into_view_if_needed()
    return lecture.page


def sentence(page):
    return page.locator(".px .cx-sentence").inner_text()


def corner(page):
    """Row and column of the lens, as they are said."""
    rows, columns = re.match(r"Rows (\d+) to \d+, columns (\d+) to", sentence(page)).groups()
    return int(rows), int(columns)


def numbers(page):
    return [int(text) for text in page.locator(".px td").all_inner_texts()]


def photograph(row, column, channel):
    cat = load_photograph("cat")
    return cat[channel, row : row + 8, column : column + 8].flatten().tolist()


def test_runs_without_an_error_and_finds_the_computer_ready(lecture, lab):
    assert_ran_cleanly(lecture, lab)
    assert "All is well." in lecture.output("checks = check()").inner_text()


def test_the_lens_shows_the_photographs_numbers(page):
    assert corner(page) == (ROW, COLUMN)
    for channel, name in enumerate(("red", "green", "blue")):
        page.locator(f".px input[value='{channel}']").check()
        assert numbers(page) == photograph(ROW, COLUMN, channel)
        assert f"channel {name}." in sentence(page)


def test_the_lens_is_moved_by_keys_and_python_reads_it(lecture, page):
    page.locator(".px canvas").focus()
    page.keyboard.press("Shift+ArrowDown")
    assert corner(page) == (ROW + 8, COLUMN)
    lecture.run_cell("seen = cat")
    cat = load_photograph("cat")[:, ROW + 8 : ROW + 16, COLUMN : COLUMN + 8]
    mean = [round(channel.float().mean().item()) for channel in cat]
    assert str(mean) in lecture.output("seen = cat").inner_text()
    page.locator(".px canvas").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("x")  # JupyterLab's key to cut a cell
    page.keyboard.press("ArrowUp")
    assert corner(page) == (ROW + 7, COLUMN - 1)


def test_the_lens_is_dragged_and_stays_on_the_photograph(page):
    page.locator(".px canvas").scroll_into_view_if_needed()
    box = page.locator(".px canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    row, column = corner(page)
    assert row == pytest.approx(256 / 2 - 4, abs=2)
    assert column == pytest.approx(385 / 2 - 4, abs=2)
    page.mouse.move(box["x"] + box["width"] + 300, box["y"] + box["height"] / 2)
    assert corner(page)[1] == 385 - 8
    page.mouse.up()
    channel = int(page.locator(".px input:checked").get_attribute("value"))
    assert numbers(page) == photograph(*corner(page), channel)


def test_a_practice_question_is_answered(lecture):
    form = lecture.page.locator(".course-quiz", has_text="What is true of the questions")
    for choices, says, why in (
        ((1, 4), "Not yet", "Only for graded"),
        ((1, 3), "Right.", "1 and 3"),
    ):
        for box in form.get_by_role("checkbox").all():
            box.set_checked(int(box.get_attribute("value")) in choices)
        form.get_by_role("button", name="Check my answer").click()
        expect(form.get_by_role("status")).to_contain_text(says)
        expect(form).to_contain_text(why)


@pytest.mark.slow  # a time, which needs a quiet computer
def test_a_drag_is_redrawn_within_50_milliseconds(page):
    page.locator(".px canvas").focus()
    turn = """turn => document.querySelector('.px canvas').dispatchEvent(
        new KeyboardEvent('keydown', {key: turn % 2 ? 'ArrowUp' : 'ArrowDown', bubbles: true}))"""
    shown = "() => document.querySelector('.px .cx-sentence').textContent"
    assert median_redraw(page, turn, shown) <= 50


def test_is_readable_at_half_and_full_width_in_both_themes(lecture):
    assert_readable(lecture, ".px .cx-body")
