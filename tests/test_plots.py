"""Every figure has alt text, in the page as well, and is shown once."""

from __future__ import annotations

import base64
import io
import re

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from PIL import Image
from traitlets.config import Config

from course_utils.plots import Grid, new_figure, show, show_bars, show_curves, show_grids


@pytest.fixture(scope="module", autouse=True)
def _notebook():
    """What `display` needs to be more than a print."""
    InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
    yield
    InteractiveShell.clear_instance()


def _shown(draw, *arguments, **keywords):
    """The one image that `draw` displays: its picture and its alt text."""
    with capture_output() as captured:
        draw(*arguments, **keywords)
    (output,) = captured.outputs
    (tag,) = re.findall(r"<img [^>]+>", output.data["text/html"])
    data = base64.b64decode(re.search(r'base64,([^"]+)"', tag)[1])
    return Image.open(io.BytesIO(data)).convert("RGB"), re.search(r'alt="([^"]*)"', tag)[1]


def _share(picture, colour):
    """How much of the picture has exactly this colour."""
    wanted = tuple(bytes.fromhex(colour))
    return sum(n for n, found in picture.getcolors(1 << 24) if found == wanted) / (
        picture.width * picture.height
    )


def test_alt_text_reaches_the_page_escaped():
    figure, ax = new_figure(2, 1)
    ax.plot([1, 2])
    _, alt = _shown(show, figure, 'A line "up" & away')
    assert alt == "A line &quot;up&quot; &amp; away"


@pytest.mark.parametrize("alt", ["", "  "])
def test_a_figure_without_alt_text_is_refused(alt):
    figure, _ = new_figure(2, 1)
    with pytest.raises(ValueError, match="needs alt text"):
        show(figure, alt)


def test_marks_fill_the_cells_that_they_name():
    blank = Grid("a map", (6, 6))
    quarter = Grid("a map", (6, 6), {"window": (range(0, 6, 2), range(0, 6, 2))})
    picture, _ = _shown(show_grids, [blank], alt="blank")
    assert _share(picture, "E69F00") == 0
    marked, _ = _shown(show_grids, [quarter], alt="marked")
    filled, left = _share(marked, "E69F00"), _share(marked, "BCD9EA")
    assert filled / (filled + left) == pytest.approx(9 / 36, abs=0.02)


def test_cells_of_grids_side_by_side_are_equally_large():
    picture, _ = _shown(
        show_grids,
        [Grid("large", (9, 9)), Grid("small", (3, 3), {"window": (range(3), range(3))})],
        alt="a large and a small map",
    )
    area = _share(picture, "E69F00") * picture.width * picture.height
    large = _share(picture, "BCD9EA") * picture.width * picture.height
    assert large / area == pytest.approx(81 / 9, rel=0.05)


def test_padding_is_drawn_around_the_input():
    picture, _ = _shown(show_grids, [Grid("padded", (3, 3), padding=1)], alt="padded")
    assert _share(picture, "F1DCE7") > _share(picture, "BCD9EA")


def test_bars():
    charts = {"weights": {"one": 1.0, "two": 2.0}, "activations": {"one": 2.0, "two": 2.0}}
    picture, alt = _shown(show_bars, charts, alt="two charts")
    assert alt == "two charts"
    assert picture.width > 2 * picture.height


def test_a_curve_may_leave_out_places_and_each_has_its_colour():
    few = {1: (40.0, 5.0), 10: (80.0, 3.0)}
    many = {1: (20.0, 5.0), 2: (30.0, 4.0), 10: (50.0, 4.0)}
    picture, alt = _shown(
        show_curves, {"many": many, "few": few}, across="n", up="%", alt="Two lines rise."
    )
    assert alt == "Two lines rise."
    assert min(_share(picture, "0072B2"), _share(picture, "D55E00")) > 0.001
