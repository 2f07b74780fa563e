"""The course's figures. They share one style, and each has a text for readers who can't see it.

The colours are those of M. Okabe and K. Ito, "Color universal design" (2008); people with any
colour vision can tell them apart. Figures are drawn on white, so that they look the same in a
light and in a dark JupyterLab.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from torch import Tensor

COLORS = {
    "window": "#E69F00",
    "input": "#BCD9EA",
    "output": "#7FCFB9",
    "padding": "#F1DCE7",
    "left over": "#D55E00",
    "blue": "#0072B2",
    "green": "#009E73",
    "purple": "#CC79A7",
    "sky": "#56B4E9",
}
DOTS_PER_INCH = 160
CELL_INCHES = 0.3
PAGE_INCHES = 8.6
Region = tuple[Sequence[int], Sequence[int]]


def new_figure(width: float, height: float, **subplots: Any) -> tuple[Figure, Any]:
    """Make a figure and its axes, as `plt.subplots` does.

    The figure isn't registered with pyplot, so only `show` shows it, and it appears once.

    Args:
        width: the width in inches.
        height: the height in inches.
        subplots: further arguments of `Figure.subplots`, for example `ncols`.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    return figure, figure.subplots(**subplots)


def show(figure: Figure, alt: str) -> None:
    """Show a figure below the cell.

    Args:
        figure: the figure, from `new_figure`.
        alt: a text that says what the figure shows, for readers who can't see it.

    Raises:
        ValueError: `alt` is empty.
    """
    if not alt.strip():
        raise ValueError("A figure needs alt text: say in a sentence or two what it shows.")
    from IPython.display import HTML, display
    from PIL import Image

    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=DOTS_PER_INCH, bbox_inches="tight", pad_inches=0.12)
    data = base64.b64encode(picture.getvalue()).decode()
    width = round(Image.open(picture).width * 96 / DOTS_PER_INCH)
    # As HTML, because JupyterLab shows an image output without alt text.
    display(
        HTML(
            f'<img src="data:image/png;base64,{data}" alt="{html.escape(alt)}" '
            f'style="width: {width}px; max-width: 100%; border-radius: 4px">'
        )
    )


@dataclass(frozen=True)
class Grid:
    """A feature map to be drawn as cells.

    Attributes:
        title: the text above the map.
        size: the number of rows and of columns.
        marks: the regions to fill. For each colour name in `COLORS`, the rows and the columns of
            its region.
        numbers: the numbers in the cells, row by row, or None.
        padding: how many rings of padding to draw around the map, with their zeros.
    """

    title: str
    size: tuple[int, int]
    marks: Mapping[str, Region] = field(default_factory=dict)
    numbers: Sequence[Sequence[object]] | None = None
    padding: int = 0


def show_grids(grids: Sequence[Grid], alt: str) -> None:
    """Show feature maps side by side, all with cells of the same size.

    Args:
        grids: the feature maps.
        alt: a text that says what the figure shows, for readers who can't see it.
    """
    tall = max(grid.size[0] + 2 * grid.padding for grid in grids)
    wide = [max(grid.size[1] + 2 * grid.padding, len(grid.title) / 4) + 1 for grid in grids]
    figure, axes = new_figure(
        sum(wide) * CELL_INCHES,
        (tall + 1.5) * CELL_INCHES,
        ncols=len(grids),
        squeeze=False,
        gridspec_kw={"width_ratios": wide},
    )
    for grid, ax, width in zip(grids, axes[0], wide, strict=True):
        _draw_grid(ax, grid)
        rows, columns = grid.size
        ax.set_xlim((columns - width) / 2, (columns + width) / 2)
        ax.set_ylim((rows + tall) / 2 + 0.1, (rows - tall) / 2 - 0.1)
    show(figure, alt)


def _draw_grid(ax: Axes, grid: Grid) -> None:
    rows, columns = grid.size
    ax.set_aspect("equal")
    ax.set_axis_off()
    ax.set_title(grid.title, fontsize=10)
    pad = grid.padding
    for row in range(-pad, rows + pad):
        for column in range(-pad, columns + pad):
            inside = 0 <= row < rows and 0 <= column < columns
            _fill(ax, row, column, "input" if inside else "padding")
            if not inside:
                ax.text(column + 0.5, row + 0.5, "0", ha="center", va="center", fontsize=8)
    for color, (marked_rows, marked_columns) in grid.marks.items():
        for row in marked_rows:
            for column in marked_columns:
                _fill(ax, row, column, color)
    for row, numbers in enumerate(grid.numbers or []):
        for column, number in enumerate(numbers):
            ax.text(column + 0.5, row + 0.5, str(number), ha="center", va="center", fontsize=9)


def _fill(ax: Axes, row: int, column: int, color: str) -> None:
    from matplotlib.patches import Rectangle

    ax.add_patch(
        Rectangle((column, row), 1, 1, facecolor=COLORS[color], edgecolor="#555555", linewidth=0.6)
    )


def show_bars(charts: Mapping[str, Mapping[str, float]], alt: str, digits: int = 0) -> None:
    """Show small bar charts side by side. A negative number gets a bar to the left.

    Args:
        charts: for each title, the number of each name. The number is written beside its bar.
        alt: a text that says what the figure shows, for readers who can't see it.
        digits: the number of decimals.
    """
    names = len(next(iter(charts.values())))
    figure, axes = new_figure(
        3.3 * len(charts), 0.5 + 0.32 * names, ncols=len(charts), squeeze=False
    )
    for ax, (title, bars) in zip(axes[0], charts.items(), strict=True):
        rectangles = ax.barh(list(bars), list(bars.values()), color=COLORS["sky"])
        ax.bar_label(
            rectangles, labels=[f"{value:,.{digits}f}" for value in bars.values()], padding=3
        )
        ax.invert_yaxis()
        ax.set_title(title, fontsize=10)
        ax.set_xlim(min(0, *bars.values()) * 1.6, max(bars.values()) * 1.4)
        if min(bars.values()) < 0:
            ax.axvline(0, color="#555555", linewidth=0.8)
        ax.spines[["top", "right", "bottom"]].set_visible(False)
        ax.set_xticks([])
    show(figure, alt)


def show_lines(
    panels: Mapping[str, Mapping[str, tuple[Any, Any, str]]],
    alt: str,
    *,
    across: str = "",
    up: str = "",
    log: bool = False,
) -> None:
    """Show functions in panels side by side, all with the same axes.

    Args:
        panels: for each title, the lines of the panel. For each name of a line, its numbers on
            the horizontal axis, its numbers on the vertical axis, and matplotlib's style, such as
            "-", "--" or "o-".
        alt: a text that says what the figure shows, for readers who can't see it.
        across: the label of the horizontal axes.
        up: the label of the vertical axis.
        log: whether the vertical axes are logarithmic.
    """
    several = len(panels) > 1
    figure, axes = new_figure(
        min(PAGE_INCHES, 3.5 * len(panels)) if several else 4.6,
        2.6,
        ncols=len(panels),
        squeeze=False,
        sharex=True,
        sharey=True,
    )
    for ax, (title, lines) in zip(axes[0], panels.items(), strict=True):
        colors = ("blue", "left over", "green", "purple")
        for (name, (x, y, style)), color in zip(lines.items(), colors, strict=False):
            ax.plot(x, y, style, color=COLORS[color], label=name, markersize=5)
        ax.set_title(title, fontsize=10)
        ax.set_xlabel(across)
        if log:
            ax.set_yscale("log")
        if ax is axes[0][-1] or not several:
            ax.legend(frameon=False, fontsize=9)
        ax.spines[["top", "right"]].set_visible(False)
    axes[0][0].set_ylabel(up)
    show(figure, alt)


def show_graph(
    places: Mapping[str, tuple[float, float]],
    edges: Mapping[tuple[str, str], tuple[str, str]],
    alt: str,
    labels: Mapping[str, str] | None = None,
) -> None:
    """Show a graph: nodes, arrows between them, and a text above and a text below each arrow.

    Args:
        places: the column and the row of each node.
        edges: for each arrow (start, end), the texts (above, below).
        alt: a text that says what the figure shows, for readers who can't see it.
        labels: the text in a node, where it isn't the node's name.
    """
    from matplotlib.patches import Circle

    columns, rows = zip(*places.values(), strict=True)
    wide, tall = max(columns) - min(columns) + 1, max(rows) - min(rows) + 1
    inches = min(1.25, PAGE_INCHES / wide)
    figure, ax = new_figure(inches * wide, inches * tall)
    ax.set_aspect("equal")
    ax.set_axis_off()
    ax.set_xlim(min(columns) - 0.5, max(columns) + 0.5)
    ax.set_ylim(max(rows) + 0.5, min(rows) - 0.5)
    for (start, end), texts in edges.items():
        (left, top), (right, bottom) = places[start], places[end]
        length = ((right - left) ** 2 + (bottom - top) ** 2) ** 0.5
        gap = 0.2 / length
        ends = [
            (left + part * (right - left), top + part * (bottom - top)) for part in (gap, 1 - gap)
        ]
        ax.annotate("", ends[1], ends[0], arrowprops={"arrowstyle": "->", "color": "#555555"})
        share = 0.5 if top == bottom else 0.3  # crossing arrows: keep their texts apart
        for text, color, side in zip(texts, ("blue", "left over"), (-1, 1), strict=True):
            x, y = left + share * (right - left), top + share * (bottom - top)
            back = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
            style = {"color": COLORS[color], "ha": "center", "va": "center", "bbox": back}
            if text:
                ax.text(x, y + 0.13 * side, text, **style)
    for name, place in places.items():
        ax.add_patch(Circle(place, 0.2, facecolor=COLORS["input"], edgecolor="#555555"))
        ax.text(*place, (labels or {}).get(name, name), ha="center", va="center")
    show(figure, alt)


def show_pictures(
    pictures: Mapping[str, Tensor], alt: str, columns: int = 6, inches: float = 2.15
) -> None:
    """Show pictures in rows, each with its title above it. Pixels are not smoothed.

    Args:
        pictures: for each title a picture, uint8 [3, H, W], or float [3, H, W] from 0 to 1.
            Floats outside this range are clipped.
        alt: a text that says what the figure shows, for readers who can't see it.
        columns: the number of pictures in a row.
        inches: the width of a picture, if the page is wide enough for all columns.
    """
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    lines = max(title.count("\n") + 1 for title in pictures)
    inches = min(inches, PAGE_INCHES / columns)
    tallest = max(picture.shape[1] / picture.shape[2] for picture in pictures.values())
    figure, axes = new_figure(
        inches * columns,
        rows * (inches * tallest + 0.22 * lines),
        nrows=rows,
        ncols=columns,
        squeeze=False,
    )
    for ax in axes.flat:
        ax.set_axis_off()
    for ax, (title, picture) in zip(axes.flat, pictures.items(), strict=False):
        if picture.is_floating_point():
            picture = picture.clamp(0, 1)
        ax.imshow(picture.permute(1, 2, 0).numpy(), interpolation="nearest")
        ax.set_title(title, fontsize=9)
    show(figure, alt)


def show_boxes(
    image: Tensor, boxes: Mapping[str, tuple[float, float, float, float]], alt: str
) -> None:
    """Show a picture with named boxes.

    Args:
        image: uint8 [3, H, W], or float [3, H, W] from 0 to 1.
        boxes: for each name (left, top, right, bottom) in pixels.
        alt: a text that says what the figure shows, for readers who can't see it.
    """
    from matplotlib.patches import Rectangle

    height, width = image.shape[1:]
    inches = min(PAGE_INCHES, 5.5 * width / height)
    figure, ax = new_figure(inches, inches * height / width)
    ax.set_axis_off()
    ax.imshow(image.permute(1, 2, 0).numpy())
    colors = ("left over", "blue", "green", "purple", "window", "sky")
    for number, (name, (left, top, right, bottom)) in enumerate(boxes.items()):
        color = COLORS[colors[number % len(colors)]]
        corner = (left - 0.5, top - 0.5)
        size = (right - left, bottom - top)
        ax.add_patch(Rectangle(corner, *size, fill=False, edgecolor=color, linewidth=2))
        back = {"facecolor": color, "edgecolor": "none", "pad": 1.5}
        ax.text(*corner, name, color="white", fontsize=9, va="bottom", bbox=back)
    show(figure, alt)


def show_curves(
    curves: Mapping[str, Mapping[Any, tuple[float, float]] | Sequence[float]],
    across: str,
    up: str,
    alt: str,
) -> None:
    """Show curves through means, with standard deviations as error bars.

    Args:
        curves: for each name, the (mean, standard deviation) at each place on the horizontal
            axis. The places are drawn in the order of the first curve, evenly spaced. Another
            curve may leave some of them out. A list of numbers, without standard deviations, is
            drawn at the places 1, 2, 3 and so on.
        across: the label of the horizontal axis.
        up: the label of the vertical axis.
        alt: a text that says what the figure shows, for readers who can't see it.
    """
    figure, ax = new_figure(6.2, 3.4)
    charts = {
        name: points
        if isinstance(points, Mapping)
        else {place: (value, 0.0) for place, value in enumerate(points, start=1)}
        for name, points in curves.items()
    }
    places = list(next(iter(charts.values())))
    styles = zip(("blue", "left over", "green", "purple"), "osD^", strict=True)
    for (name, points), (color, marker) in zip(charts.items(), styles, strict=False):
        ax.errorbar(
            [places.index(place) for place in points],
            [mean for mean, _ in points.values()],
            [spread for _, spread in points.values()],
            color=COLORS[color],
            marker=marker,
            capsize=3,
            label=name,
        )
    ax.set_xticks(range(len(places)), [str(place) for place in places])
    ax.set_xlabel(across)
    ax.set_ylabel(up)
    ax.set_ylim(bottom=0)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    show(figure, alt)
