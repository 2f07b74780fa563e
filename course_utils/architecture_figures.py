"""Figures of architectures: a table, blocks, a residual block, memory; and numbers in pairs."""

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
    """Show an architecture's table, a line for each row, with the parameters and work in total.

    A block ends with its pool. Feature maps are written height × width × channels, and
    activations are counted for one image.
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
        # It can be scrolled sideways where it is too wide: with the keys, too.
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
    """Draw an architecture from left to right: a box for each feature map, a block with its pool.

    A box is as high as the map, and the thicker the more channels it has (twice as many make it
    half as thick again); dense layers are bars. Below each block stand its map and its channels.

    Args:
        rows: Of a chain with square maps, from `trace`.
        alt: For whoever can't see it.
    """
    from matplotlib.patches import Rectangle

    from course_utils.plots import COLORS, PAGE_INCHES, new_figure, show

    figure, ax = new_figure(PAGE_INCHES, 2.6)
    ax.set_axis_off()
    left, block, begins = 0.0, 1, 0.0
    for row in rows[1:]:
        dense, pool = isinstance(row.layer, Dense), isinstance(row.layer, Pool)
        height = 0.35 if dense else row.shape[1] / rows[0].shape[1]
        width = 0.05 if dense else 0.02 * 1.5 ** log2(row.shape[0] / 16)
        box = Rectangle((left, -height / 2), width, height, edgecolor="#333333", linewidth=0.6)
        box.set_facecolor(COLORS["purple" if dense else "window" if pool else "sky"])
        ax.add_patch(box)
        left += width + 0.015
        if dense or pool:
            said = f"block {block}\n{_by(row.shape[1:])}\n{row.shape[0]} channels"
            said = f"{row.shape[0]:,}" if dense else said
            middle, turned = (begins + left) / 2, 90 if dense else 0
            ax.text(middle, -0.6, said, ha="center", va="top", fontsize=8, rotation=turned)
            left += 0.12
            begins, block = left, block + 1
    ax.set_xlim(-0.05, left)
    ax.set_ylim(-1.05, 0.55)
    named = {"convolution": "sky", "max pool": "window", "dense": "purple"}
    handles = [Rectangle((0, 0), 1, 1, facecolor=COLORS[color]) for color in named.values()]
    ax.legend(handles, list(named), loc="upper right", frameon=False, fontsize=8)
    show(figure, alt)


def show_residual(blocks: Mapping[str, Sequence[str]], alt: str) -> None:
    """Draw residual blocks, one below the other: layers in a row, and a path around them.

    Args:
        blocks: By title, what stands in the boxes, from the input to the sum.
        alt: For whoever can't see it.
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
    """Draw side by side how often numbers of each size occur, with mean and standard deviation.

    Args:
        numbers: By title; all are drawn on the same horizontal axis.
        alt: For whoever can't see it.
    """
    from course_utils.plots import COLORS, PAGE_INCHES, new_figure, show

    figure, axes = new_figure(PAGE_INCHES, 2, ncols=len(numbers), sharex=True, squeeze=False)
    for ax, (title, tensor) in zip(axes[0], numbers.items(), strict=True):
        flat = tensor.detach().flatten()
        ax.hist(flat.numpy(), bins=40, color=COLORS["sky"])
        said = f"mean {flat.mean() + 0.0:.2f}, std {flat.std():.2f}".replace("-0.00", "0.00")
        ax.set_title(f"{title}\n{said}", fontsize=9)
        ax.axvline(flat.mean(), color=COLORS["left over"])
        ax.set_yticks([])
        ax.spines[["top", "right", "left"]].set_visible(False)
    show(figure, alt)


def show_pairs(
    panels: Mapping[str, tuple[Sequence[float], Sequence[float]]], names: tuple[str, str], alt: str
) -> None:
    """Draw what two ways reach on the same splits: two dots for each split, joined by a line.

    Args:
        panels: By title, the results of the first and of the second way, split by split.
        names: Of the two ways.
        alt: For whoever can't see it.
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
    """Draw what fills the memory: a bar in parts for each name, and a line where it is full.

    Args:
        bars: By name, the size of each part in GiB.
        limit: In GiB.
        alt: For whoever can't see it.
    """
    from course_utils.plots import COLORS, PAGE_INCHES, new_figure, show

    figure, ax = new_figure(PAGE_INCHES, 0.8 + 0.4 * len(bars))
    begins = [0.0] * len(bars)
    parts = next(iter(bars.values()))
    for part, color in zip(parts, ("blue", "sky", "purple", "window"), strict=False):
        sizes = [bar[part] for bar in bars.values()]
        ax.barh(list(bars), sizes, left=begins, color=COLORS[color], label=part)
        begins = [begin + size for begin, size in zip(begins, sizes, strict=True)]
    ax.axvline(limit, color=COLORS["left over"], linestyle="--")
    ax.invert_yaxis()
    ax.set_xlabel("GiB")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    show(figure, alt)


def _cells(row: Row) -> list[str]:
    channels, *space = row.shape
    layer = row.layer
    shown = ["input", "", "", "", ""]
    if isinstance(layer, Conv):
        settings = (layer.filters, _by(layer.kernel), layer.stride, layer.padding)
        shown = ["conv", *map(str, settings)]
    elif isinstance(layer, Pool):
        shown = ["max pool", "", _by(layer.kernel), str(layer.step), str(layer.padding or "")]
    elif isinstance(layer, Dense):
        shown = ["dense", str(layer.units), "", "", ""]
    costs = (f"{number:,}" if number else "" for number in (row.parameters, row.macs))
    size, sees = _by((*space, channels)), _by(row.receptive_field)
    return [*shown, size, *costs, f"{row.activations:,}", sees]


def _html(cells: list[str]) -> str:
    first, *rest = cells
    return f'<th scope="row">{first}</th>' + "".join(f"<td>{cell}</td>" for cell in rest)


def _by(extent: Extent) -> str:
    return "×".join(map(str, extent if isinstance(extent, tuple) else (extent, extent)))
