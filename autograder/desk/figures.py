"""The figures of a report, as SVG."""

from __future__ import annotations

import base64
import datetime
import io
from typing import TYPE_CHECKING

from matplotlib import rc_context
from matplotlib.dates import date2num
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from autograder.desk.statistics import Item

BLUE = "#2a6099"


def _as_address(figure: Figure) -> str:
    """A figure as the address of a picture that is in the page itself."""
    file = io.BytesIO()
    with rc_context({"svg.hashsalt": "report", "svg.fonttype": "none"}):
        figure.savefig(file, format="svg", metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(file.getvalue()).decode()


def _empty(width: float, height: float) -> Figure:
    return Figure(figsize=(width, height), layout="constrained")


def distribution(totals: list[float], most: float) -> str:
    """How many students have how many points."""
    figure = _empty(6.4, 2.8)
    axes = figure.subplots()
    bins = max(1, min(20, int(most) or 1))
    axes.hist(totals, bins=bins, range=(0, most or 1), color=BLUE, edgecolor="white")
    axes.set(xlabel=f"points of {most:g}", ylabel="students")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    return _as_address(figure)


def similarity(all_pairs: NDArray[np.float64]) -> str:
    """How many pairs of submissions are how similar. A pair alone can be seen beside thousands."""
    figure = _empty(6.4, 2.8)
    axes = figure.subplots()
    axes.hist(all_pairs, bins=50, range=(0, 1), color=BLUE, edgecolor="white", log=True)
    axes.set(xlabel="similarity (1: the same)", ylabel="pairs (logarithmic)")
    axes.set(xlim=(0, 1), ylim=(0.5, None))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.spines[["top", "right"]].set_visible(False)
    return _as_address(figure)


def item_map(items: list[Item]) -> str:
    """Difficulty against discrimination, a point for each question or test."""
    figure = _empty(6.4, 3.4)
    axes = figure.subplots()
    shown = [
        (item.difficulty, item.discrimination, item.name)
        for item in items
        if item.difficulty is not None and item.discrimination is not None
    ]
    axes.scatter([x for x, _, _ in shown], [y for _, y, _ in shown], color=BLUE)
    for x, y, name in shown:
        axes.annotate(name, (x, y), xytext=(4, 4), textcoords="offset points", fontsize=8)
    axes.axhline(0, color="grey", linewidth=0.8)
    axes.set(
        xlim=(-0.05, 1.15),
        ylim=(-1.05, 1.05),
        xlabel="share of the points that the class got (1: all)",
        ylabel="discrimination",
    )
    axes.spines[["top", "right"]].set_visible(False)
    return _as_address(figure)


def over_time(times: list[datetime.datetime], due: datetime.datetime | None) -> str:
    """How many had handed in by when (UTC)."""
    figure = _empty(6.4, 2.8)
    axes = figure.subplots()
    ordered = sorted(times)
    numbers = [float(date2num(time)) for time in ordered]
    axes.xaxis_date()
    axes.step(numbers, range(1, len(ordered) + 1), where="post", color=BLUE, marker=".")
    if due is not None:
        at = float(date2num(due))
        axes.axvline(at, color="#b3261e", linestyle="--")
        axes.annotate("due", (at, 0), xytext=(4, 4), textcoords="offset points", color="#b3261e")
    axes.set(ylabel="handed in (last submissions)", ylim=(0, len(ordered) + 1))
    axes.tick_params(axis="x", rotation=30)
    axes.spines[["top", "right"]].set_visible(False)
    return _as_address(figure)
