"""The convolution stepper: step through a convolution, product by product."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import anywidget
import traitlets

from course_utils.interactives.parts import script, style

Channel = Sequence[Sequence[int]]


class ConvolutionStepper(anywidget.AnyWidget):
    """A convolution with a single filter, to step through product by product.

    Its stride is 1, and it has no padding. The figure works in the browser alone (`products.js`),
    so it never waits for the kernel.

    Args:
        image: whole numbers [C, H, W].
        weight: the filter's weights, whole numbers [C, k_h, k_w].
        bias: the filter's bias, which is added once at each place.

    Attributes:
        step: how many products are done, all places together.

    Raises:
        ValueError: rows have different lengths, or image and filter have different numbers of
            channels, or the filter doesn't fit into the image.
    """

    _esm = script("products")
    _css = style("products")

    step = traitlets.Int(0, min=0).tag(sync=True)
    _image: traitlets.List = traitlets.List().tag(sync=True)
    _weight: traitlets.List = traitlets.List().tag(sync=True)
    _bias = traitlets.Int(0).tag(sync=True)

    def __init__(
        self, image: Sequence[Channel], weight: Sequence[Channel], bias: int = 0, **settings: Any
    ) -> None:
        shapes = [_shape("image", image), _shape("weight", weight)]
        (channels, *space), (slices, *taps) = shapes
        if channels != slices or any(k > i for i, k in zip(space, taps, strict=True)):
            raise ValueError(
                f"A filter {shapes[1]} doesn't fit on an image {shapes[0]}: it needs as many "
                "channels, and at most as many rows and columns."
            )
        super().__init__(_image=image, _weight=weight, _bias=bias, **settings)

    def __repr__(self) -> str:
        return "Convolution stepper: run this cell in JupyterLab to play with it."


def _shape(name: str, channels: Sequence[Channel]) -> list[int]:
    shapes = {(len(channel), len(row)) for channel in channels for row in channel}
    if len(shapes) != 1:
        raise ValueError(f"The {name} must be [channels][rows][columns], all rows equally long.")
    return [len(channels), *shapes.pop()]
