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

from course_utils.architecture_figures import show_blocks
from course_utils.arithmetic import Conv, Dense, Pool, trace
from course_utils.plots import (
    Grid,
    new_figure,
    show,
    show_bars,
    show_boxes,
    show_curves,
    show_graph,
    show_grids,
    show_lines,
)
from course_utils.scenes import street


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


def test_a_negative_bar_goes_to_the_left():
    picture, _ = _shown(show_bars, {"": {"up": 1.0, "down": -1.0}}, alt="two bars", digits=2)
    rows = {}
    for y in range(picture.height):
        blue = [x for x in range(picture.width) if picture.getpixel((x, y)) == (86, 180, 233)]
        if blue:
            rows[y] = (min(blue), max(blue))
    (first, _), (_, last) = rows[min(rows)], rows[max(rows)]
    assert last < first + 5


def test_lines_share_their_axes_and_each_has_its_colour():
    panels = {"a": {"one": ([0, 1], [1, 10], "-"), "two": ([0, 1], [2, 3], "o")}}
    panels["b"] = panels["a"]
    picture, alt = _shown(show_lines, panels, alt="Two panels.", log=True)
    assert alt == "Two panels."
    assert min(_share(picture, "0072B2"), _share(picture, "D55E00")) > 0.0005


def test_a_graph_has_its_nodes_and_texts_on_both_sides_of_an_arrow():
    places, edges = {"x": (0, 0), "y": (1, 0)}, {("x", "y"): ("3.00", "1.28")}
    picture, _ = _shown(show_graph, places, edges, alt="Two nodes.", labels={"y": "×"})
    bare, _ = _shown(show_graph, places, {("x", "y"): ("", "")}, alt="Two nodes.")
    assert min(_share(picture, "BCD9EA"), _share(bare, "BCD9EA")) > 0.05
    for colour in ("0072B2", "D55E00"):
        assert _share(picture, colour) > _share(bare, colour) == 0


def test_numbers_alone_are_a_curve_at_the_places_from_one_on():
    alone, _ = _shown(show_curves, {"a": [3.0, 2.0]}, across="n", up="%", alt="It falls.")
    placed = {"a": {1: (3.0, 0.0), 2: (2.0, 0.0)}}
    given, _ = _shown(show_curves, placed, across="n", up="%", alt="It falls.")
    assert alone.tobytes() == given.tobytes()


def test_a_curve_may_leave_out_places_and_each_has_its_colour():
    few = {1: (40.0, 5.0), 10: (80.0, 3.0)}
    many = {1: (20.0, 5.0), 2: (30.0, 4.0), 10: (50.0, 4.0)}
    picture, alt = _shown(
        show_curves, {"many": many, "few": few}, across="n", up="%", alt="Two lines rise."
    )
    assert alt == "Two lines rise."
    assert min(_share(picture, "0072B2"), _share(picture, "D55E00")) > 0.001


def test_a_box_is_drawn_around_its_thing_and_nowhere_else():
    scene = street()
    left, top, right, bottom = scene.boxes["bus"]
    picture, alt = _shown(show_boxes, scene.image, {"bus": scene.boxes["bus"]}, alt="A bus.")
    assert alt == "A bus."
    color = (0xD5, 0x5E, 0x00)
    places = [
        (x / picture.width, y / picture.height)
        for y in range(picture.height)
        for x in range(picture.width)
        if picture.getpixel((x, y)) == color
    ]
    height, width = scene.image.shape[1:]
    assert min(x for x, _ in places) == pytest.approx(left / width, abs=0.03)
    assert max(x for x, _ in places) == pytest.approx(right / width, abs=0.03)
    assert max(y for _, y in places) == pytest.approx(bottom / height, abs=0.05)
    assert min(y for _, y in places) < top / height  # its name is above it


def test_in_a_block_diagram_each_kind_of_layer_has_its_colour():
    chain = [Conv(64, 3, padding=1), Pool(2), Conv(64, 3, padding=1), Pool(2)]
    rows = trace((3, 64, 64), [*chain, Dense(10)])
    picture, _ = _shown(show_blocks, rows, alt="Two blocks and a dense layer.")
    conv, pool = _share(picture, "56B4E9"), _share(picture, "E69F00")
    assert conv > pool > _share(picture, "CC79A7") > 0
    assert conv == pytest.approx(2 * pool, rel=0.2)  # a pool halves the side, and so the box
