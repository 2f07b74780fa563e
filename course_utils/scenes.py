"""A street composed of stamps, with the boxes and masks that a detector should predict for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

Box = tuple[int, int, int, int]

# The caption of a stamp, its name in the scene, its side in pixels, and its top left corner
# (row, column).
_THINGS = (
    ("A “Stop” sign.", "stop sign", 64, (34, 12)),
    ("A green bus.", "bus", 150, (42, 84)),
    ("A pigeon.", "bird", 40, (156, 214)),
    ("A sedan car.", "car", 128, (74, 244)),
    ("A dog.", "dog", 72, (116, 384)),
)
_HEIGHT, _WIDTH, _HORIZON = 200, 464, 128
_SKY, _ROAD = (0.80, 0.88, 0.95), (0.62, 0.62, 0.64)


@dataclass(frozen=True)
class Scene:
    """A picture, with the place of each thing in it.

    Attributes:
        image: uint8 [3, H, W].
        boxes: for each name (left, top, right, bottom) in pixels; right and bottom are the first
            column and the first row outside the thing.
        masks: for each name bool [H, W], True where the thing covers the pixel.
    """

    image: Tensor
    boxes: dict[str, Box]
    masks: dict[str, Tensor]


def street() -> Scene:
    """Make a scene of five stamps on a road.

    Raises:
        DataError: the pictures are missing or damaged.
    """
    import torch
    import torch.nn.functional as F

    from course_utils.data import load_stamps

    stamps = load_stamps()
    canvas = torch.tensor(_SKY).view(3, 1, 1).repeat(1, _HEIGHT, _WIDTH)
    canvas[:, _HORIZON:] = torch.tensor(_ROAD).view(3, 1, 1)
    boxes, masks = {}, {}
    for caption, name, side, (top, left) in _THINGS:
        picture = stamps.images[stamps.captions.index(caption)] / 255
        cut = torch.cat([picture, _silhouette(picture)[None].float()])[None]
        cut = F.interpolate(cut, size=side, mode="bilinear", antialias=True)[0]
        part = canvas[:, top : top + side, left : left + side]
        rows, columns = part.shape[1:]
        colours, covered = cut[:3, :rows, :columns], cut[3, :rows, :columns]
        part.copy_(covered * colours + (1 - covered) * part)
        masks[name] = torch.zeros(_HEIGHT, _WIDTH, dtype=torch.bool)
        masks[name][top : top + rows, left : left + columns] = covered > 0.5
        high, wide = (masks[name].any(axis).nonzero() for axis in (1, 0))
        ends = wide.min(), high.min(), wide.max() + 1, high.max() + 1
        left_, top_, right, bottom = (int(end) for end in ends)
        boxes[name] = (left_, top_, right, bottom)
    return Scene((255 * canvas).round().clamp(0, 255).byte(), boxes, masks)


def _silhouette(picture: Tensor) -> Tensor:
    """The pixels of the thing in a picture, bool [H, W].

    White that is connected to the border is background. White inside the thing belongs to it.
    """
    import torch
    import torch.nn.functional as F

    white = picture.amin(0) > 0.94
    outside = torch.zeros_like(white)
    outside[[0, -1]] = white[[0, -1]]
    outside[:, [0, -1]] |= white[:, [0, -1]]
    while True:
        grown = F.max_pool2d(outside[None].float(), 3, stride=1, padding=1)[0].bool() & white
        if torch.equal(grown, outside):
            return ~outside
        outside = grown
