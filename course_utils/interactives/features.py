"""The feature explorer: the feature maps of a network's layers, and what each unit sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from course_utils.arithmetic import Conv, Pool, Row, trace
from course_utils.interactives.parts import script, style
from course_utils.models import LAYERS, preprocess

if TYPE_CHECKING:
    from torch import Tensor, nn

SIDE = 224
SHOWN = 24
# SqueezeNet v1.1 along the path with the largest receptive field: a fire module squeezes with 1×1
# and expands with 3×3. Filters don't matter to the receptive field, so each layer has 1.
FIRE: list[Conv | Pool] = [Conv(1, 1), Conv(1, 3, padding=1)]
PATH: list[Conv | Pool] = [
    Conv(1, 3, stride=2),
    Pool(3, 2),
    *FIRE,
    *FIRE,
    Pool(3, 2),
    *FIRE,
    *FIRE,
    Pool(3, 2),
]
PATH += [*FIRE, *FIRE, *FIRE, *FIRE]
# For each layer in LAYERS, how many layers of PATH lead to its output.
STEPS = (1, 4, 6, 9, 11, 14, 16, 18, 20)


class FeatureExplorer(anywidget.AnyWidget):
    """Feature maps to choose from, drawn over the picture that they were computed from.

    For each layer, the 24 maps with the largest mean are computed beforehand, so the figure never
    waits for the kernel.

    Args:
        network: SqueezeNet.
        pictures: for each name a picture, uint8 [3, 224, 224]; red, green, blue.

    Attributes:
        name: the name of the picture that is shown.
        layer: the name of the layer, from `course_utils.models.LAYERS`.
        rank: the rank of the map that is shown; 0 is the map with the largest mean in its layer.
        channel: the index of that map among the channels of the layer.
        row, column: the unit of the map whose receptive field is framed in the picture.

    Raises:
        ValueError: there is no picture, or a picture has another shape or type.
    """

    _esm = script("features")
    _css = style("features")

    name = traitlets.Unicode().tag(sync=True)
    layer = traitlets.Enum(list(LAYERS), "conv1").tag(sync=True)
    rank = traitlets.Int(0, min=0, max=SHOWN - 1).tag(sync=True)
    row = traitlets.Int(0, min=0).tag(sync=True)
    column = traitlets.Int(0, min=0).tag(sync=True)
    _pictures = traitlets.Dict().tag(sync=True)
    _layers = traitlets.Dict().tag(sync=True)
    _maps = traitlets.Dict().tag(sync=True)

    def __init__(self, network: nn.Module, pictures: Mapping[str, Tensor], **settings: Any) -> None:
        for name, picture in pictures.items():
            if tuple(picture.shape) != (3, SIDE, SIDE) or str(picture.dtype) != "torch.uint8":
                raise ValueError(
                    f"Picture {name!r} must be uint8 [3, {SIDE}, {SIDE}], not {picture.dtype} "
                    f"{list(picture.shape)}: resize and crop it first."
                )
        if not pictures:
            raise ValueError("The explorer needs at least one picture.")
        rows = trace((3, SIDE, SIDE), PATH)
        first = next(iter(pictures))
        super().__init__(
            **{
                "name": first,
                "_pictures": {n: _pixels(picture) for n, picture in pictures.items()},
                "_layers": {
                    name: _geometry(rows[step]) for name, step in zip(LAYERS, STEPS, strict=True)
                },
                "_maps": {n: _strongest_maps(network, picture) for n, picture in pictures.items()},
                **settings,
            }
        )

    @property
    def channel(self) -> int:
        """The index of the map that is shown, among the channels of its layer."""
        return int(self._maps[self.name][self.layer]["channels"][self.rank])

    def __repr__(self) -> str:
        return "Feature explorer: run this cell in JupyterLab to play with it."


def _pixels(picture: Tensor) -> bytes:
    return picture.permute(1, 2, 0).contiguous().numpy().tobytes()


def _geometry(row: Row) -> dict[str, int]:
    """The side of a layer's map, and its receptive fields: width, distance, start of the first."""
    view = row.sees(0, 0)[0]
    return {"side": row.shape[1], "sees": len(view), "jump": row.jump[0], "start": view.start}


def _strongest_maps(network: nn.Module, picture: Tensor) -> dict[str, dict[str, Any]]:
    """For each layer, the maps with the largest means: channels, largest values and bytes."""
    import torch

    strongest = {}
    stops = {index: name for name, index in LAYERS.items()}
    with torch.no_grad():
        maps = preprocess(picture, SIDE)
        for index, part in enumerate(network.get_submodule("features").children()):
            maps = part(maps)
            if index in stops:
                channels = maps[0].mean((1, 2)).argsort(descending=True, stable=True)[:SHOWN]
                chosen = maps[0, channels]
                most = chosen.amax((1, 2))
                scaled = (255 * chosen / most.clamp_min(1e-6)[:, None, None]).round().byte()
                strongest[stops[index]] = {
                    "channels": channels.tolist(),
                    "largest": most.tolist(),
                    "values": scaled.contiguous().numpy().tobytes(),
                }
    return strongest
