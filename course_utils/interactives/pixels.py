"""The pixel explorer: a lens on a photograph, and the numbers under it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from course_utils.interactives.parts import script, style

if TYPE_CHECKING:
    from torch import Tensor

LENS = 8


class PixelExplorer(anywidget.AnyWidget):
    """A photograph with a lens of 8×8 pixels to move, and the numbers of the pixels in the lens.

    The figure works in the browser alone (`pixels.js`), so it never waits for the kernel.

    Args:
        picture: uint8 [3, H, W]; red, green, blue.

    Attributes:
        row, column: the upper left pixel of the lens.
        channel: the channel whose numbers are shown: 0 red, 1 green, 2 blue.

    Raises:
        ValueError: the picture has another shape or type, or is smaller than the lens.
    """

    _esm = script("pixels")
    _css = style("pixels")

    row = traitlets.Int(0, min=0).tag(sync=True)
    column = traitlets.Int(0, min=0).tag(sync=True)
    channel = traitlets.Int(0, min=0, max=2).tag(sync=True)
    _size: traitlets.List = traitlets.List().tag(sync=True)
    _pixels = traitlets.Bytes().tag(sync=True)

    def __init__(self, picture: Tensor, **settings: Any) -> None:
        shape = tuple(picture.shape)
        small = len(shape) != 3 or shape[0] != 3 or min(shape[1:]) < LENS
        if small or str(picture.dtype) != "torch.uint8":
            raise ValueError(
                f"The picture must be uint8 [3, H, W], at least {LENS}×{LENS}, not "
                f"{picture.dtype} {list(shape)}. From [H, W, 3], use .permute(2, 0, 1)."
            )
        raw = picture.permute(1, 2, 0).contiguous().numpy().tobytes()
        super().__init__(_size=list(shape[1:]), _pixels=raw, **settings)

    def __repr__(self) -> str:
        return "Pixel explorer: run this cell in JupyterLab to play with it."
