"""Lecture 4 as a student meets it: opened in JupyterLab, run, and looked through."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.helpers import (
    assert_questions_take_their_answers,
    assert_ran_cleanly,
    assert_readable,
    median_redraw,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LECTURE = "lectures/04_transfer_learning.ipynb"
READY = ".fx [data-rank='0'][aria-label]"


@pytest.fixture
def page(lecture):
    """The page, with the explorer in view, at the cat's first layer."""
    lecture.page.locator(".fx").scroll_into_view_if_needed()
    lecture.page.locator(".fx select[name=name]").select_option("coffee")
    lecture.page.locator(".fx select[name=name]").select_option("cat")
    lecture.page.locator(".fx select[name=layer]").select_option("fire2")
    lecture.page.locator(".fx select[name=layer]").select_option("conv1")
    expect(sentence(lecture.page)).to_contain_text("conv1, map")
    return lecture.page


def sentence(page):
    return page.locator(".fx .cx-sentence")


def test_runs_without_an_error(lecture, lab):
    assert_ran_cleanly(lecture, lab)


def test_every_practice_question_takes_its_answer(lecture):
    assert_questions_take_their_answers(lecture, "04_transfer_learning")


def test_each_layer_has_its_maps_and_says_what_a_unit_sees(page):
    for layer, side, sees in (("conv1", 111, 3), ("fire4", 27, 47), ("fire9", 13, 207)):
        page.locator(".fx select[name=layer]").select_option(layer)
        expect(page.locator(".fx-title")).to_contain_text(f"{layer}: the 24 maps")
        expect(page.locator(".fx-title")).to_contain_text(f"{side}×{side}")
        expect(sentence(page)).to_contain_text(f"The unit sees {sees}×{sees} pixels.")
        canvas = page.locator(".fx [data-rank='0'] canvas")
        assert canvas.evaluate("canvas => canvas.width") == side


def test_a_new_map_shows_its_strongest_unit(page):
    page.locator(".fx select[name=layer]").select_option("fire9")
    expect(sentence(page)).to_contain_text("fire9")
    page.locator(".fx [data-rank='5']").click()
    expect(page.locator(".fx [aria-pressed=true]")).to_have_attribute("data-rank", "5")
    expect(sentence(page)).to_have_text(re.compile(r".*: (\d+\.\d) of at most \1\. .*"))
    shown = pixels(page)
    page.locator(".fx [data-rank='6']").click()
    expect(page.locator(".fx [aria-pressed=true]")).to_have_attribute("data-rank", "6")
    assert pixels(page) != shown


def pixels(page):
    """The picture as it is drawn, once this frame is."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
    return page.locator(".fx-picture").evaluate("canvas => canvas.toDataURL()")


def test_the_frame_is_dragged_and_moved_by_keys(page):
    picture = page.locator(".fx-picture")
    picture.hover(position={"x": 30, "y": 30})  # scrolls, waits till it rests
    box = picture.bounding_box()
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 4, steps=3)
    page.mouse.up()
    # A unit of conv1 every 2 pixels: the middle column is 55 or 56, a quarter down 27 or 28.
    moved = re.compile(r"row (\d+), column (\d+):")
    expect(sentence(page)).to_contain_text(re.compile(r"row 2[78], column 5[56]:"))
    row, column = map(int, moved.search(sentence(page).inner_text()).groups())
    picture.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("x")  # JupyterLab's key to cut a cell
    expect(sentence(page)).to_contain_text(f"row {row + 1}, column {column + 1}:")


@pytest.mark.slow  # a time, which needs a quiet computer
def test_a_drag_is_redrawn_within_50_milliseconds(page):
    turn = """number => {
        const canvas = document.querySelector('.fx-picture');
        const box = canvas.getBoundingClientRect();
        canvas.dispatchEvent(new PointerEvent('pointermove', {
            buttons: 1, clientX: box.x + 20 + 3 * number, clientY: box.y + 20 + 2 * number,
        }));
    }"""
    shown = "() => document.querySelector('.fx .cx-sentence').textContent"
    assert median_redraw(page, turn, shown) <= 50


def test_is_readable_at_both_widths_and_in_both_themes(lecture, page):
    assert_readable(lecture, ".fx .cx-body")
