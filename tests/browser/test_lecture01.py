"""Lecture 1 as a student meets it: opened in JupyterLab, run, and played with."""

from __future__ import annotations

import re

import pytest
import torch
from playwright.sync_api import expect
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional

from course_utils.data import load_photograph
from course_utils.interactives import AugmentationExplorer
from course_utils.interactives.augmentation import SETTINGS
from tests.browser.helpers import assert_ran_cleanly, assert_readable, median_redraw

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LECTURE = "lectures/01_preprocessing.ipynb"
READY = ".ag tbody tr"
NEUTRAL = {name: setting[2] for name, setting in SETTINGS.items()}
NEUTRAL |= {"mirror": False, "upside_down": False, "swap": False}


@pytest.fixture
def page(lecture):
    """The page, with the explorer in view and the picture as it was."""
    lecture.page.locator(".ag").scroll_into_view_if_needed()
    lecture.page.locator("[data-reset]").click()
    lecture.page.locator(".ag select").select_option("cat")
    answered(lecture.page)
    return lecture.page


def answered(page):
    """Wait until the network has answered for what is shown; the answer's first class."""
    page.locator(".ag:not(.ag-waiting)").wait_for()
    return page.locator(".ag tbody th").first.inner_text()


def says(page, text):
    """Wait until the explorer's sentence is `text`, or matches it; it is written a frame later."""
    expect(page.locator(".ag .cx-sentence")).to_have_text(text)


def pixels(page):
    """What the canvas shows, uint8 [3, 224, 224]."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(done))")
    shown = page.evaluate(
        """() => {
            const context = document.querySelector('.ag canvas').getContext('2d');
            return [...context.getImageData(0, 0, 224, 224).data];
        }"""
    )
    return torch.tensor(shown, dtype=torch.uint8).reshape(224, 224, 4)[..., :3].permute(2, 0, 1)


def test_runs_without_an_error(lecture, lab):
    assert_ran_cleanly(lecture, lab)


def test_the_network_answers_to_what_is_shown(page):
    assert answered(page) == "Egyptian cat"
    page.locator(".ag select").select_option("coffee")
    says(page, "The coffee, unchanged.")
    page.locator(".ag [data-value]").first.wait_for()
    page.wait_for_function(
        "() => document.querySelector('.ag tbody th').textContent === 'espresso'"
    )
    sure = page.locator(".ag tbody td").nth(1).inner_text()
    page.locator(".ag input[name=swap]").check()
    says(page, "The coffee, red and blue swapped.")
    page.wait_for_function(
        "sure => document.querySelectorAll('.ag tbody td')[1].textContent !== sure", arg=sure
    )
    less = page.locator(".ag tbody td").nth(1).inner_text()
    assert float(less.rstrip(" %")) < float(sure.rstrip(" %")) - 30


def test_python_gets_the_very_pixels_that_are_shown(lecture, page):
    page.locator("[data-random]").click()
    answered(page)
    shown = pixels(page)
    assert (shown.float() - pixels_of_cat().float()).abs().mean() > 3
    lecture.page.evaluate(
        """async () => {
            const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            const future = kernel.requestExecute({code: 'print(explorer.picture.sum().item())'});
            future.onIOPub = message => {
                if (message.header.msg_type === 'stream') window.total = message.content.text;
            };
            await future.done;
        }"""
    )
    assert int(page.evaluate("() => window.total")) == int(shown.sum())


def pixels_of_cat():
    return functional.center_crop(functional.resize(load_photograph("cat"), [224]), [224])


def test_the_picture_is_dragged_and_moved_by_keys(page):
    before = pixels(page)
    page.locator(".ag canvas").hover(position={"x": 100, "y": 100})  # scrolls, waits till it rests
    box = page.locator(".ag canvas").bounding_box()
    page.mouse.down()
    page.mouse.move(box["x"] + 100 + box["width"] / 4, box["y"] + 100, steps=3)
    page.mouse.up()
    moved = re.compile(r"The cat, moved (\d+) px right\.")
    says(page, moved)
    right = int(moved.fullmatch(page.locator(".ag .cx-sentence").inner_text()).group(1))
    assert right == pytest.approx(56, abs=2)
    assert torch.equal(pixels(page)[:, :, right:], before[:, :, :-right])
    page.locator(".ag canvas").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("x")  # JupyterLab's key to cut a cell
    says(page, f"The cat, moved {right - 4} px right, 4 px down.")


def test_every_setting_changes_the_picture_and_is_said(page):
    for name, (least, most, neutral) in SETTINGS.items():
        if name in ("right", "down"):
            continue
        before = pixels(page)
        slider = page.locator(f".ag input[name={name}]")
        slider.focus()
        page.keyboard.press("End" if neutral != most else "Home")
        assert slider.input_value() == str(most)
        expect(page.locator(f"[data-value={name}]")).to_contain_text(str(most))
        says(page, re.compile(str(most)))
        assert not torch.equal(pixels(page), before), name
        assert least < most
    page.locator("[data-reset]").click()
    for name, said in (("mirror", "mirrored"), ("upside_down", "upside down")):
        page.locator(f".ag input[name={name}]").check()
        says(page, re.compile(said))


def test_a_practice_question_is_answered(lecture):
    form = lecture.page.locator(".course-quiz", has_text="A red value is")
    for answer, says, why in (
        ("1111.42", "Not yet", "You normalised a byte"),
        ("2.25", "Right.", "Forget the division by 255"),
    ):
        form.get_by_label("Your answer").fill(answer)
        form.get_by_role("button", name="Check my answer").click()
        expect(form.get_by_role("status")).to_contain_text(says)
        expect(form).to_contain_text(why)


@pytest.mark.slow  # a time, which needs a quiet computer
def test_a_drag_is_redrawn_within_50_milliseconds(page):
    turn = """turn => {
        const slider = document.querySelector('.ag input[name=turn]');
        slider.value = turn + 1;
        slider.dispatchEvent(new Event('input', {bubbles: true}));
    }"""
    shown = "() => document.querySelector('.ag .cx-sentence').textContent"
    assert median_redraw(page, turn, shown) <= 50


def test_is_readable_at_half_and_full_width_in_both_themes(lecture):
    assert_readable(lecture, ".ag .cx-body")


# The arithmetic, in the browser's own JavaScript, against torchvision's


@pytest.fixture(scope="module")
def augment(browser_context):
    """A function that applies settings to a picture, uint8 [3, 224, 224], in JavaScript."""
    page = browser_context.new_page()
    page.evaluate(
        """async source => {
            const blob = new Blob([source], {type: 'text/javascript'});
            window.js = await import(URL.createObjectURL(blob));
        }""",
        str(AugmentationExplorer._esm),
    )

    def apply(picture, **settings):
        flat = picture.permute(1, 2, 0).flatten().tolist()
        found = page.evaluate(
            "([flat, state]) => [...window.js.augment(Uint8Array.from(flat), state)]",
            [flat, NEUTRAL | settings],
        )
        return torch.tensor(found, dtype=torch.uint8).reshape(224, 224, 3).permute(2, 0, 1)

    yield apply
    page.close()


@pytest.mark.parametrize(
    ("settings", "theirs"),
    [
        ({}, lambda picture: picture),
        ({"mirror": True}, functional.horizontal_flip),
        ({"upside_down": True}, functional.vertical_flip),
        ({"swap": True}, lambda picture: picture.flip(0)),
        ({"brightness": 160}, lambda picture: functional.adjust_brightness(picture, 1.6)),
        ({"contrast": 40}, lambda picture: functional.adjust_contrast(picture, 0.4)),
        ({"saturation": 0}, lambda picture: functional.adjust_saturation(picture, 0.0)),
        ({"saturation": 170}, lambda picture: functional.adjust_saturation(picture, 1.7)),
    ],
)
def test_colours_and_flips_are_torchvisions(augment, settings, theirs):
    picture = pixels_of_cat()
    difference = (augment(picture, **settings).int() - theirs(picture).int()).abs()
    assert difference.max() <= 1


@pytest.mark.parametrize(
    "settings", [{"turn": 90}, {"turn": -30}, {"zoom": 150}, {"turn": 20, "right": 30, "zoom": 60}]
)
def test_turns_zooms_and_moves_are_torchvisions(augment, settings):
    picture = pixels_of_cat()
    theirs = functional.affine(
        picture,
        angle=settings.get("turn", 0),
        translate=[settings.get("right", 0), 0],
        scale=settings.get("zoom", 100) / 100,
        shear=[0.0, 0.0],
        interpolation=InterpolationMode.BILINEAR,
    )
    difference = (augment(picture, **settings).int() - theirs.int()).abs()
    inside = difference[:, 4:-4, 4:-4].float()
    assert inside.mean() < 1  # rounding; at the rotated edge torchvision shades otherwise
    assert (inside > 2).float().mean() < 0.02
