"""Lecture 3 as a student meets it: opened in JupyterLab, run, and played with."""

from __future__ import annotations

import re

import pytest
import torch
from playwright.sync_api import expect
from torchvision import models

from course_utils.architectures import layers_of
from course_utils.arithmetic import trace
from tests.browser.helpers import assert_ran_cleanly, assert_readable, median_redraw

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LECTURE = "lectures/03_architectures.ipynb"
READY = ".ar svg .bar"
PADDING = [0xCC, 0x79, 0xA7]  # its colour, as in shared.css


@pytest.fixture(scope="module")
def vgg16():
    with torch.device("meta"):
        return trace((3, 224, 224), layers_of(models.vgg16(), (3, 224, 224)))


@pytest.fixture
def page(lecture):
    """The page, with VGG-16's input shown."""
    lecture.page.locator(".ar").scroll_into_view_if_needed()
    lecture.page.locator(".ar select").select_option("VGG-16")
    lecture.page.locator(".ar svg").focus()
    lecture.page.keyboard.press("Home")
    expect(lecture.page.locator(".ar-layer")).to_have_text("the input")
    return lecture.page


def corner(page):
    """Red, green and blue of what is drawn in the picture's corner, far outside in the padding."""
    return page.locator(".ar canvas").evaluate(
        "canvas => [...canvas.getContext('2d').getImageData(0, 0, 1, 1).data].slice(0, 3)"
    )


def fact(page, name):
    return page.locator(f".ar [data-fact='{name}']")


def test_runs_without_an_error_and_without_the_network(lecture, lab):
    assert_ran_cleanly(lecture, lab)


def test_every_layer_shows_its_row_of_the_table(page, vgg16):
    for number, row in enumerate(vgg16[1:], start=1):
        page.keyboard.press("ArrowRight")
        expect(page.locator(".ar-layer")).to_have_text(f"{number} of 21: {row.layer}")
        size = "×".join(map(str, (*row.shape[1:], row.shape[0])))
        expect(fact(page, "output")).to_have_text(size)
        expect(fact(page, "parameters")).to_have_text(f"{row.parameters:,}")
        expect(fact(page, "macs")).to_have_text(f"{row.macs:,}")
        expect(fact(page, "sees")).to_have_text("{0}×{0}".format(row.receptive_field[0]))
    page.keyboard.press("ArrowRight")  # nothing lies behind the last
    expect(page.locator(".ar-layer")).to_have_text(re.compile("21 of 21"))
    slider = page.locator(".ar svg")
    assert slider.get_attribute("aria-valuenow") == slider.get_attribute("aria-valuemax") == "21"


def test_a_bar_is_as_tall_as_its_number(page, vgg16):
    tall = page.locator(".ar svg .bar").evaluate_all(
        "bars => bars.map(bar => Number(bar.getAttribute('height')))"
    )
    rows = len(vgg16)
    assert len(tall) == 5 * rows
    channels = [row.shape[0] if len(row.shape) == 3 else 0 for row in vgg16]
    assert tall[rows : 2 * rows] == pytest.approx([34 * c / 512 for c in channels])
    for start, of in ((2, "parameters"), (3, "macs"), (4, "activations")):
        numbers = [getattr(row, of) for row in vgg16]
        expected = [number / max(numbers) for number in numbers]
        drawn = [height / 34 for height in tall[start * rows : (start + 1) * rows]]
        assert drawn == pytest.approx(expected, abs=1e-6)


def test_layers_are_chosen_with_mouse_and_buttons(page):
    svg = page.locator(".ar svg")
    svg.hover(position={"x": 5, "y": 60})
    box = svg.bounding_box()
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 18.5 / 22, box["y"] + 60, steps=3)
    expect(page.locator(".ar-layer")).to_have_text("18 of 21: pool 2×2, stride 2")
    page.mouse.move(box["x"] + box["width"] + 200, box["y"] + 60)
    expect(page.locator(".ar-layer")).to_have_text("21 of 21: dense 1000")
    page.mouse.up()
    page.locator(".ar [data-step='-1']").click()
    expect(page.locator(".ar-layer")).to_have_text("20 of 21: dense 4096")


def test_what_a_unit_sees_is_bright_and_said(page, vgg16):
    svg = page.locator(".ar svg")
    for _ in range(3):
        svg.press("ArrowRight")
    pool = vgg16[3]
    canvas = page.locator(".ar canvas")
    canvas.scroll_into_view_if_needed()
    canvas.hover(position={"x": 2, "y": 2})
    page.mouse.down()
    page.mouse.up()  # beyond the picture's corner: the corner unit
    top, left = pool.sees(0, 0)
    said = f"sees 6×6 pixels: rows {top[0]} to {top[-1]}, columns {left[0]} to {left[-1]}."
    said = said.replace("-", "−")
    sentence = page.locator(".ar .cx-sentence")
    expect(sentence).to_contain_text(said)
    expect(sentence).to_contain_text("What lies outside 0 to 223 is padding.")
    canvas.press("ArrowDown")
    canvas.press("x")  # JupyterLab's key to cut a cell
    canvas.press("ArrowRight")
    expect(sentence).to_contain_text("row 1, column 1 of 112×112")
    assert corner(page) == pytest.approx([0.4 * channel for channel in PADDING], abs=2)
    svg.press("End")
    expect(sentence).to_contain_text("Each unit sees 404×404 pixels")
    assert corner(page) == PADDING


def test_play_goes_on_until_it_is_paused(page):
    play = page.locator(".ar [data-play]")
    play.click()
    expect(play).to_have_text("Pause")
    expect(page.locator(".ar-layer")).to_have_text(re.compile("^2 of 21"))
    play.click()
    expect(play).to_have_attribute("aria-pressed", "false")


def test_python_reads_where_the_student_is(lecture, page):
    page.locator(".ar select").select_option("AlexNet (2012)")
    page.locator(".ar svg").press("End")
    page.locator(".ar svg").press("ArrowLeft")
    expect(page.locator(".ar-layer")).to_have_text("10 of 11: dense 4096")
    lecture.run_cell("row = networks[tracer.network]")
    expect(lecture.output("row = networks[tracer.network]")).to_contain_text(
        "AlexNet (2012), layer 10: dense 4096, output (4096,)"
    )


def test_a_practice_question_is_answered(lecture):
    form = lecture.page.locator(".course-quiz", has_text="How many activations are there in VGG-16")
    for answer, says, why in (
        ("24", "Not yet", "That is what the notes say"),
        ("15.2", "Right.", "after dense layers"),
    ):
        form.get_by_label("Your answer").fill(answer)
        form.get_by_role("button", name="Check my answer").click()
        expect(form.get_by_role("status")).to_contain_text(says)
        expect(form).to_contain_text(why)


@pytest.mark.slow  # a time, which needs a quiet computer
def test_a_drag_is_redrawn_within_50_milliseconds(page):
    turn = """turn => {
        const key = turn % 2 ? 'ArrowLeft' : 'ArrowRight';
        document.querySelector('.ar svg').dispatchEvent(new KeyboardEvent('keydown', {key}));
    }"""
    shown = "() => document.querySelector('.ar .cx-sentence').textContent"
    assert median_redraw(page, turn, shown) <= 50


def test_is_readable_at_half_and_full_width_in_both_themes(lecture):
    assert_readable(lecture, ".ar .cx-body")
