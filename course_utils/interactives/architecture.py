"""The architecture tracer: walk through a network, layer by layer, and see what a unit sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from course_utils.arithmetic import Row
from course_utils.interactives.parts import script, style

if TYPE_CHECKING:
    from torch import Tensor


class ArchitectureTracer(anywidget.AnyWidget):
    """Networks to walk through, layer by layer.

    All numbers come from the rows; the page computes none. The figure works in the browser alone
    (`architecture.js`), so it never waits for the kernel.

    Args:
        networks: for each name, the rows of a network, from `course_utils.arithmetic.trace`.
        picture: uint8 [3, S, S]; red, green, blue. It is drawn in the size of each network's input.

    Attributes:
        network: the name of the network that is shown.
        layer: the index of the row that is shown; 0 is the input.
        row, column: a pixel of the picture. The unit that is centred on it is shown.

    Raises:
        ValueError: there is no network, or a network doesn't take a square picture, or the
            picture has another shape or type.
    """

    _esm = script("architecture")
    _css = style("architecture")

    network = traitlets.Unicode().tag(sync=True)
    layer = traitlets.Int(0, min=0).tag(sync=True)
    row = traitlets.Int(0, min=0).tag(sync=True)
    column = traitlets.Int(0, min=0).tag(sync=True)
    _networks = traitlets.Dict().tag(sync=True)
    _side = traitlets.Int().tag(sync=True)
    _pixels = traitlets.Bytes().tag(sync=True)

    def __init__(
        self, networks: Mapping[str, Sequence[Row]], picture: Tensor, **settings: Any
    ) -> None:
        shape = tuple(picture.shape)
        if len(shape) != 3 or shape[0] != 3 or shape[1] != shape[2] or picture.is_floating_point():
            raise ValueError(
                f"The picture must be uint8 [3, S, S], not {picture.dtype} {list(shape)}: crop it."
            )
        if not networks:
            raise ValueError("The tracer needs at least one network: {name: trace(shape, layers)}.")
        for name, rows in networks.items():
            if len(rows[0].shape) != 3 or rows[0].shape[1] != rows[0].shape[2]:
                raise ValueError(
                    f"{name!r} takes inputs of shape {rows[0].shape}: trace it on a square picture."
                )
        settings = {
            "network": next(iter(networks)),
            "row": shape[1] // 2,
            "column": shape[1] // 2,
            "_networks": {name: [_sent(row) for row in rows] for name, rows in networks.items()},
            "_side": shape[1],
            "_pixels": picture.permute(1, 2, 0).contiguous().numpy().tobytes(),
            **settings,
        }
        super().__init__(**settings)

    def __repr__(self) -> str:
        return "Architecture tracer: run this cell in JupyterLab to play with it."


def _sent(row: Row) -> dict[str, Any]:
    """A row as the page gets it. Sizes are those of the vertical axis, because maps are square."""
    channels, *space = row.shape
    return {
        "name": "input" if row.layer is None else str(row.layer),
        "kind": "input" if row.layer is None else type(row.layer).__name__.lower(),
        "size": space[0] if space else 1,
        "channels": channels,
        "parameters": row.parameters,
        "macs": row.macs,
        "activations": row.activations,
        "sees": row.receptive_field[0],
        "jump": row.jump[0],
        "padding": row.padding[0],
    }
