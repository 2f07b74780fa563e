"""Lecture 2 as a student meets it: opened in JupyterLab, run, and played with."""

from __future__ import annotations

import random
import re

import pytest
import torch
from torch import nn

from course_utils.interactives.convolution import LIMITS
from tests.browser.helpers import assert_ran_cleanly, assert_readable, median_redraw

pytestmark = pytest.mark.browser

LECTURE = "lectures/02_convolution_arithmetic.ipynb"
READY = ".ce svg .unit"
SLIDERS = ("size", "kernel", "stride", "padding", "dilation")
IMAGE = [  # of the lecture's stepper, whose bias is 1
    [[1, 2, 0, 1], [0, 3, 1, 2], [2, 0, 1, 0], [1, 1, 0, 2]],
    [[0, 1, 1, 0], [2, 0, 0, 1], [1, 1, 2, 0], [0, 2, 1, 1]],
]
WEIGHT = [[[1, 0], [0, -1]], [[0, 2], [1, 0]]]
THUMB = 18  # its width in pixels, as in shared.css


@pytest.fixture
def page(lecture):
    """The page, with the explorer in view, at a setting with room to move."""
    lecture.page.locator(".ce").scroll_into_view_if_needed()
    lecture.page.locator("[data-preset='keep the size']").click()
    return lecture.page


def fact(page, name):
    return page.locator(f"[data-fact='{name}']").inner_text()


def sentence(page):
    return page.locator(".ce .cx-sentence").inner_text()


def drag(page, name, value):
    """Take a slider's thumb and draw it to `value` with the mouse."""
    slider = page.locator(f".ce input[name='{name}']")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    least, most = LIMITS[name]

    def at(number):
        share = (number - least) / (most - least)
        return box["x"] + THUMB / 2 + share * (box["width"] - THUMB)

    middle = box["y"] + box["height"] / 2
    page.mouse.move(at(int(slider.input_value())), middle)
    page.mouse.down()
    page.mouse.move(at(value), middle, steps=2)
    page.mouse.up()
    assert slider.input_value() == str(value)


def torchs(setting):
    """Output, parameters, multiply-adds and receptive field, measured; None if torch refuses."""
    conv = nn.Conv2d(
        setting["channels"],
        setting["filters"],
        *(setting[name] for name in ("kernel", "stride", "padding", "dilation")),
    )
    image = torch.zeros(1, setting["channels"], setting["size"], setting["size"])
    parameters = sum(p.numel() for p in conv.parameters())
    try:
        out = conv(image)
    except RuntimeError:
        return None, parameters, None
    _, filters, rows, columns = out.shape
    output = f"{rows}×{columns}×{filters}"
    return output, parameters, rows * columns * conv.weight.numel()


def test_runs_without_an_error_and_without_the_network(lecture, lab):
    assert_ran_cleanly(lecture, lab)


def test_twenty_random_settings_are_torchs(page):
    draw = random.Random(20)
    seen = set()
    for _ in range(20):
        setting = {name: draw.randint(*LIMITS[name]) for name in SLIDERS}
        setting |= {name: draw.randint(1, 64) for name in ("channels", "filters")}
        for name in SLIDERS:
            drag(page, name, setting[name])
        for name in ("channels", "filters"):
            page.locator(f".ce input[name='{name}']").fill(str(setting[name]))
        output, parameters, macs = torchs(setting)
        assert fact(page, "parameters") == f"{parameters:,}", setting
        assert fact(page, "output") == (output or "none"), setting
        assert fact(page, "macs") == (f"{macs:,}" if macs else "none"), setting
        reach = setting["dilation"] * (setting["kernel"] - 1) + 1
        assert fact(page, "sees") == f"{reach}×{reach}"
        seen.add(output is None)
        if output is None:
            assert f"The window spans {reach} positions" in sentence(page)
    assert seen == {True, False}


def test_an_impossible_setting_says_why_and_what_would_do(page):
    page.locator("[data-preset='impossible']").click()
    assert sentence(page) == (
        "The window spans 7 positions but the padded input has only 5: "
        "use padding 1 or more, or a smaller kernel or dilation."
    )
    assert page.locator("[data-convention='floor']").inner_text() == "refused"
    assert page.locator("[data-play]").is_disabled()
    drag(page, "padding", 1)
    assert fact(page, "output").startswith("1×1×")


def test_what_is_left_over_is_drawn_and_said(page):
    page.locator("[data-preset='left over']").click()
    assert page.locator(".ce .left-over").count() == 2
    said = page.locator("[data-convention='floor']").inner_text()
    assert said == "3×3: rounds down, 1 row and 1 column left over"
    assert "9 / 4 is not a whole number" in page.locator("[data-convention='exact']").inner_text()
    drag(page, "stride", 3)
    assert page.locator(".ce .left-over").count() == 0


@pytest.mark.slow  # a time, which needs a quiet computer
def test_a_drag_is_redrawn_within_50_milliseconds(page):
    """Over settings that are much to draw."""
    page.locator(".ce input[name='padding']").fill("5")
    turn = """turn => {
        const slider = document.querySelector('.ce input[name=size]');
        slider.value = 15 + turn % 10;
        slider.dispatchEvent(new Event('input', {bubbles: true}));
    }"""
    shown = "() => document.querySelector('[data-value=size]').textContent"
    assert median_redraw(page, turn, shown) <= 50


def test_a_drag_does_not_wait_for_the_kernel_and_python_reads_it_later(lecture, page):
    page.evaluate(
        """() => {
            const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            window.busy = kernel.requestExecute({code: 'import time; time.sleep(4)'}).done;
        }"""
    )
    page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=busy]", state="attached")
    drag(page, "size", 11)
    drag(page, "stride", 2)
    page.locator(".ce input[name='filters']").fill("5")
    assert fact(page, "output") == "6×6×5"
    indicator = page.locator(".jp-Notebook-ExecutionIndicator")
    assert indicator.get_attribute("data-status") == "busy"
    page.evaluate("async () => { await window.busy; }")
    lecture.run_cell("table(explored)")
    assert "6×6×5" in lecture.output("table(explored)").inner_text()


def test_the_window_follows_mouse_and_buttons(page):
    grid = page.locator(".ce svg").bounding_box()
    unit = page.locator(".ce svg .unit")
    first = unit.bounding_box()
    page.mouse.move(first["x"] + first["width"] * 2.5, first["y"] + first["height"] * 1.5)
    page.mouse.down()
    assert sentence(page).startswith("Output row 1, column 2 looks at input rows 0 to 2")
    page.mouse.move(first["x"] + first["width"] * 20, first["y"] + first["height"] * 20)
    assert sentence(page).startswith("Output row 7, column 7")  # held at the corner
    page.mouse.up()
    window = page.locator(".ce svg .window").bounding_box()
    page.mouse.move(window["x"] + 2, window["y"] + 2)
    page.mouse.down()
    page.mouse.move(grid["x"] - 50, window["y"] + 2)
    page.mouse.up()
    assert re.match(r"Output row \d, column 0 ", sentence(page))
    page.locator("[data-step='1']").click()
    assert re.match(r"Output row \d, column 1 ", sentence(page))


def test_play_moves_the_window_until_it_is_paused(page):
    play = page.locator("[data-play]")
    play.click()
    assert play.inner_text() == "Pause"
    page.wait_for_function(
        "() => document.querySelector('.ce .cx-sentence').textContent.includes('column 2 ')"
    )
    play.click()
    assert play.get_attribute("aria-pressed") == "false"


def test_everything_works_by_keyboard_and_no_shortcut_slips_through(lecture, page):
    before = lecture.cells()
    page.locator(".ce input[name='size']").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.press("End")
    assert page.locator("[data-value='size']").inner_text() == "9"
    assert page.locator("[data-value='kernel']").inner_text() == "11"
    page.keyboard.press("Home")
    on_the_picture = "() => document.activeElement.matches('.ce svg')"
    for _ in range(20):  # past the other sliders, the numbers and the presets
        if page.evaluate(on_the_picture):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert sentence(page).startswith("Output row 1, column 1 ")
    for key in ("b", "x", "d", "d", "m", "Enter"):
        page.keyboard.press(key)
    assert [cell["source"] for cell in lecture.cells()] == [cell["source"] for cell in before]
    assert [cell["cell_type"] for cell in lecture.cells()] == [cell["cell_type"] for cell in before]


def test_is_readable_at_half_and_full_width_in_both_themes(lecture):
    assert_readable(lecture, ".ce .cx-body")


def stepper_says(page):
    return page.locator(".cp .cx-sentence").inner_text()


def test_a_convolution_is_stepped_through_product_by_product(lecture):
    page = lecture.page
    stepper = page.locator(".cp")
    stepper.scroll_into_view_if_needed()
    product, whole = (
        stepper.get_by_role("button", name=f"Next {what}") for what in ("product", "output")
    )
    product.click()
    assert "product 1 of 8, channel 0. 1 × 1 = 1. Sum so far: 1." in stepper_says(page)
    for _ in range(3):
        product.click()
    assert "product 4 of 8, channel 0. 3 × −1 = −3. Sum so far: −2." in stepper_says(page)
    stepper.get_by_role("button", name="Back").click()
    assert "product 3 of 8" in stepper_says(page)
    whole.click()
    assert stepper_says(page).endswith("Sum: 2. Plus the bias 1: 3.")
    for _ in range(8):
        whole.click()
    assert product.is_disabled()
    assert whole.is_disabled()
    shown = [
        int(text.replace("−", "-")) for text in page.locator(".cp-output td").all_inner_texts()
    ]
    want = nn.functional.conv2d(torch.tensor([IMAGE]), torch.tensor([WEIGHT])) + 1
    assert shown == want.flatten().tolist()
    stepper.get_by_role("button", name="Start again").click()
    assert "8 products make one output" in stepper_says(page)


def test_the_stepper_is_readable_at_half_and_full_width_in_both_themes(lecture):
    assert_readable(lecture, ".cp .cx-body")


def test_a_step_is_redrawn_within_50_milliseconds(lecture):
    lecture.page.locator(".cp").scroll_into_view_if_needed()
    turn = """turn => document.querySelector(
        `.cp [data-by=${turn % 2 ? 'back' : 'product'}]`).click()"""
    shown = "() => document.querySelector('.cp .cx-sentence').textContent"
    assert median_redraw(lecture.page, turn, shown) <= 50
