"""Figures of architectures: a table, blocks, residual blocks, histograms, pairs, and memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log2
from typing import TYPE_CHECKING

from course_utils.arithmetic import Conv, Dense, Extent, Pool, Row

if TYPE_CHECKING:
    from torch import Tensor

COLUMNS = (
    *("layer", "filters", "kernel", "stride", "padding"),
    *("feature map", "parameters", "multiply-adds", "activations", "sees"),
)


def show_table(rows: Sequence[Row]) -> None:
    """Show an architecture as a table with one line for each layer.

    The last line holds the total parameters and the total multiply-adds. A rule closes each
    block, after its pool. Feature maps are written as height × width × channels, and activations
    are counted for one image.

    Args:
        rows: the rows of the table, from `trace`.
    """
    from IPython.display import display

    lines = [_cells(row) for row in rows]
    totals = [sum(row.parameters for row in rows), sum(row.macs for row in rows)]
    foot = ["total", "", "", "", "", "", *(f"{total:,}" for total in totals), "", ""]
    text = "\n".join("  ".join(filter(None, line)) for line in [list(COLUMNS), *lines, foot])
    body = ""
    for row, line in zip(rows, lines, strict=True):
        last = isinstance(row.layer, Pool) or row.layer is None
        body += f"<tr{' class=last' if last else ''}>{_html(line)}</tr>"
    head = "".join(f'<th scope="col">{name}</th>' for name in COLUMNS)
    page = (
        # A table wider than the page scrolls sideways; `tabindex` lets the arrow keys scroll it.
        f'<div class="layer-table" tabindex="0" role="region" aria-label="Layers">{STYLE}'
        f"<table><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody><tfoot><tr>{_html(foot)}</tr></tfoot></table></div>"
    )
    display({"text/html": page, "text/plain": text}, raw=True)


STYLE = (
    "<style>.layer-table { overflow-x: auto; } .layer-table table { border-collapse: collapse; }"
    ".layer-table :is(th, td) { padding: 2px 7px; font-size: 12px; text-align: right;"
    " white-space: nowrap; font-variant-numeric: tabular-nums; }"
    ".layer-table th:first-child { position: sticky; left: 0; text-align: left;"
    " background: var(--jp-layout-color0, #fff); }"
    ".layer-table tbody th { font-weight: 400; }"
    ".layer-table :is(.last, thead tr) :is(th, td) { border-bottom: 1px solid currentColor; }"
    ".layer-table tfoot tr > * { font-weight: 700; }</style>"
)


def show_blocks(rows: Sequence[Row], alt: str) -> None:
    """Draw an architecture from left to right, with a box for each feature map.

    The height of a box is the height of its map. A map with twice as many channels gets a box
    1.5 times as thick. A dense layer is drawn as a bar. A block ends with its pool; the size and
    the channels of its last map are written below it.

    Args:
        rows: the rows of a chain of layers with square maps, from `trace`.
        alt: a text that says what the figure shows, for readers who can't see it.
    """
    from matplotlib.patches import Rectangle

    from course_utils.plots import COLORS, PAGE_INCHES, new_figure, show

    figure, ax = new_figure(PAGE_INCHES, 2.6)
    ax.set_axis_off()
    left, block, block_left = 0.0, 1, 0.0
    for row in rows[1:]:
        dense, pool = isinstance(row.layer, Dense), isinstance(row.layer, Pool)
        height = 0.35 if dense else row.shape[1] / rows[0].shape[1]
        width = 0.05 if dense else 0.02 * 1.5 ** log2(row.shape[0] / 16)
        box = Rectangle((left, -height / 2), width, height, edgecolor="#333333", linewidth=0.6)
        box.set_facecolor(COLORS["purple" if dense else "window" if pool else "sky"])
        ax.add_patch(box)
        left += width + 0.015
        if dense or pool:
            label = f"block {block}\n{_by(row.shape[1:])}\n{row.shape[0]} channels"
            label = f"{row.shape[0]:,}" if dense else label
            middle, rotation = (block_left + left) / 2, 90 if dense else 0
            ax.text(middle, -0.6, label, ha="center", va="top", fontsize=8, rotation=rotation)
            left += 0.12
            block_left, block = left, block + 1
    ax.set_xlim(-0.05, left)
    ax.set_ylim(-1.05, 0.55)
    legend = {"convolution": "sky", "max pool": "window", "dense": "purple"}
    handles = [Rectangle((0, 0), 1, 1, facecolor=COLORS[color]) for color in legend.values()]
    ax.legend(handles, list(legend), loc="upper right", frameon=False, fontsize=8)
    show(figure, alt)


def show_residual(blocks: Mapping[str, Sequence[str]], alt: str) -> None:
    """Draw residual blocks, one below the other: layers in a row, and the path around them.

    Args:
        blocks: for each title, the texts in the boxes, from the input to the sum.
        alt: a text that says what the figure shows, for readers who can't see it.
    """
    from course_utils.plots import COLORS, PAGE_INCHES, new_figure, show

    figure, axes = new_figure(PAGE_INCHES, 1.5 * len(blocks), nrows=len(blocks), squeeze=False)
    for ax, (title, layers) in zip(axes[:, 0], blocks.items(), strict=True):
        ax.set_axis_off()
        ax.set_title(title, fontsize=10, loc="left")
        end = len(layers) + 1
        drawn = ["x", *layers, "+", "ReLU", "y"]
        for place, text in enumerate(drawn):
            bare = text in ("x", "y")
            box = {"boxstyle": "circle" if text == "+" else "round", "edgecolor": "#333333"}
            box["facecolor"] = COLORS["output" if text == "+" else "input"]
            ax.text(place, 0, text, ha="center", va="center", bbox=None if bare else box)
            if place:
                arrow = {"arrowstyle": "->", "color": "#333333"}
                ax.annotate("", (place - 0.34, 0), (place - 0.66, 0), arrowprops=arrow)
        around = {"color": COLORS["left over"], "linewidth": 2}
        ax.plot((0, 0, end, end), (0.3, 0.8, 0.8, 0.5), **around)
        ax.annotate("", (end, 0.28), (end, 0.6), arrowprops={"arrowstyle": "->"} | around)
        ax.text(end / 2, 0.9, "skip connection", ha="center", color=COLORS["left over"])
        ax.set_xlim(-0.5, len(drawn) - 0.5)
        ax.set_ylim(-0.5, 1.1)
    show(figure, alt)


def show_histograms(numbers: Mapping[str, Tensor], alt: str) -> None:
    """Draw histograms side by side, each with its mean and its standard deviation.

    Args:
        numbers: for each title, the numbers of its histogram. All histograms share one
            horizontal axis.
        alt: a text that says what the figure shows, for readers who can't see it.
    """
    from course_utils.plots import COLORS, PAGE_INCHES, new_figure, show

    figure, axes = new_figure(PAGE_INCHES, 2, ncols=len(numbers), sharex=True, squeeze=False)
    for ax, (title, tensor) in zip(axes[0], numbers.items(), strict=True):
        flat = tensor.detach().flatten()
        ax.hist(flat.numpy(), bins=40, color=COLORS["sky"])
        statistics = f"mean {flat.mean() + 0.0:.2f}, std {flat.std():.2f}".replace("-0.00", "0.00")
        ax.set_title(f"{title}\n{statistics}", fontsize=9)
        ax.axvline(flat.mean(), color=COLORS["left over"])
        ax.set_yticks([])
        ax.spines[["top", "right", "left"]].set_visible(False)
    show(figure, alt)


def show_pairs(
    panels: Mapping[str, tuple[Sequence[float], Sequence[float]]], names: tuple[str, str], alt: str
) -> None:
    """Compare two methods on the same splits: two dots for each split, joined by a line.

    Args:
        panels: for each title, the results of the first method and of the second, in the same
            order of splits.
        names: the names of the two methods.
        alt: a text that says what the figure shows, for readers who can't see it.
    """
    from course_utils.plots import COLORS, new_figure, show

    figure, axes = new_figure(6.6, 2.9, ncols=len(panels), sharey=True, squeeze=False)
    for ax, (title, (first, second)) in zip(axes[0], panels.items(), strict=True):
        for pair in zip(first, second, strict=True):
            color = COLORS["blue" if pair[1] > pair[0] else "left over"]
            ax.plot((0, 1), pair, color=color, marker="o", markersize=4, linewidth=1)
        ax.set_xlim(-0.4, 1.4)
        ax.set_xticks((0, 1), names)
        ax.set_title(title, fontsize=10)
        ax.spines[["top", "right"]].set_visible(False)
    show(figure, alt)


def show_memory(bars: Mapping[str, Mapping[str, float]], limit: float, alt: str) -> None:
    """Draw what fills the memory: a bar in parts for each name, and a line at the limit.

    Args:
        bars: for each name, the size of each part in GiB.
        limit: the size of the memory in GiB.
        alt: a text that says what the figure shows, for readers who can't see it.
    """
    from course_utils.plots import COLORS, PAGE_INCHES, new_figure, show

    figure, ax = new_figure(PAGE_INCHES, 0.8 + 0.4 * len(bars))
    lefts = [0.0] * len(bars)
    parts = next(iter(bars.values()))
    for part, color in zip(parts, ("blue", "sky", "purple", "window"), strict=False):
        sizes = [bar[part] for bar in bars.values()]
        ax.barh(list(bars), sizes, left=lefts, color=COLORS[color], label=part)
        lefts = [left_end + size for left_end, size in zip(lefts, sizes, strict=True)]
    ax.axvline(limit, color=COLORS["left over"], linestyle="--")
    ax.invert_yaxis()
    ax.set_xlabel("GiB")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    show(figure, alt)


def _cells(row: Row) -> list[str]:
    channels, *space = row.shape
    layer = row.layer
    columns = ["input", "", "", "", ""]
    if isinstance(layer, Conv):
        settings = (layer.filters, _by(layer.kernel), layer.stride, layer.padding)
        columns = ["conv", *map(str, settings)]
    elif isinstance(layer, Pool):
        columns = ["max pool", "", _by(layer.kernel), str(layer.step), str(layer.padding or "")]
    elif isinstance(layer, Dense):
        columns = ["dense", str(layer.units), "", "", ""]
    costs = (f"{number:,}" if number else "" for number in (row.parameters, row.macs))
    size, sees = _by((*space, channels)), _by(row.receptive_field)
    return [*columns, size, *costs, f"{row.activations:,}", sees]


def _html(cells: list[str]) -> str:
    first, *rest = cells
    return f'<th scope="row">{first}</th>' + "".join(f"<td>{cell}</td>" for cell in rest)


def _by(extent: Extent) -> str:
    return "×".join(map(str, extent if isinstance(extent, tuple) else (extent, extent)))
