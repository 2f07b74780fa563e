"""The augmentation explorer: change a picture by hand, and see how the network's answer changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from course_utils.interactives.parts import script, style

if TYPE_CHECKING:
    from torch import Tensor

SIDE = 224
# The smallest value, the largest value, and the value that leaves the picture as it is.
SETTINGS = {
    "turn": (-180, 180, 0),
    "zoom": (50, 300, 100),
    "brightness": (20, 200, 100),
    "contrast": (0, 200, 100),
    "saturation": (0, 200, 100),
    "erase": (0, 80, 0),
    "right": (-SIDE, SIDE, 0),
    "down": (-SIDE, SIDE, 0),
}
SWITCHES = ("mirror", "upside_down", "swap")


def _setting(name: str) -> traitlets.Int:
    least, most, neutral = SETTINGS[name]
    return traitlets.Int(neutral, min=least, max=most).tag(sync=True)


class AugmentationExplorer(anywidget.AnyWidget):
    """Pictures to turn, move, crop and colour, with the answer of a network below.

    The picture is computed in the browser (`augmentation.js`, which the tests compare with
    torchvision), so a drag never waits for the kernel. The changed picture is then sent to the
    kernel, which calls `classify` on it.

    Args:
        pictures: for each name a picture, uint8 [3, 224, 224]; red, green, blue.
        classify: a function from such a picture to pairs (class name, probability), the likeliest
            class first.

    Attributes:
        name: the name of the picture that is shown.
        turn: the rotation in degrees, clockwise.
        zoom, brightness, contrast, saturation: in percent; 100 changes nothing.
        erase: the side of the square that is painted grey, in percent of the picture's side.
        right, down: by how many pixels the picture is moved.
        mirror, upside_down: whether the picture is flipped.
        swap: whether red and blue are swapped, which is a common mistake.
        answer: the answer of `classify` for the picture as it is now.

    Raises:
        ValueError: there is no picture, or a picture has another shape or type.
    """

    _esm = script("augmentation")
    _css = style("augmentation")

    name = traitlets.Unicode().tag(sync=True)
    turn = _setting("turn")
    zoom = _setting("zoom")
    brightness = _setting("brightness")
    contrast = _setting("contrast")
    saturation = _setting("saturation")
    erase = _setting("erase")
    right = _setting("right")
    down = _setting("down")
    mirror = traitlets.Bool(False).tag(sync=True)
    upside_down = traitlets.Bool(False).tag(sync=True)
    swap = traitlets.Bool(False).tag(sync=True)
    answer: traitlets.List = traitlets.List().tag(sync=True)
    _settings = traitlets.Dict(SETTINGS).tag(sync=True)
    _pictures = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        pictures: Mapping[str, Tensor],
        classify: Callable[[Tensor], list[tuple[str, float]]],
        **settings: Any,
    ) -> None:
        for name, picture in pictures.items():
            if tuple(picture.shape) != (3, SIDE, SIDE) or str(picture.dtype) != "torch.uint8":
                raise ValueError(
                    f"Picture {name!r} must be uint8 [3, {SIDE}, {SIDE}], not {picture.dtype} "
                    f"{list(picture.shape)}: resize and crop it first."
                )
        if not pictures:
            raise ValueError("The explorer needs at least one picture.")
        self._classify = classify
        first = next(iter(pictures))
        raw = {n: p.permute(1, 2, 0).contiguous().numpy().tobytes() for n, p in pictures.items()}
        super().__init__(**{"name": first, "_pictures": raw, **settings})
        self._see(raw[self.name])
        self.on_msg(self._receive)

    def __repr__(self) -> str:
        return "Augmentation explorer: run this cell in JupyterLab to play with it."

    def _receive(self, _: object, __: object, buffers: list[memoryview]) -> None:
        self._see(bytes(buffers[0]))
        self.send({"answered": True})  # sent even if the answer hasn't changed

    def _see(self, pixels: bytes) -> None:
        import torch

        flat = torch.frombuffer(bytearray(pixels), dtype=torch.uint8)
        self.picture: Tensor = flat.reshape(SIDE, SIDE, 3).permute(2, 0, 1)
        self.answer = [[name, float(p)] for name, p in self._classify(self.picture)]
