"""Grain: a synthetic task of textures, for which a network trained on photographs isn't made."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

CLASSES = 6
FINEST = 4.0  # pixels from one grain to the next, in class 0
COARSER = 1.06  # each class has so many times the grain of the class before
SIDE = 64


def grain(per_class: int, seed: int) -> tuple[Tensor, Tensor]:
    """Grey noise of six grain sizes, as sandpaper has grades; the label is the grade.

    White noise, of which a band of frequencies is kept: the same in all directions, centred on
    the class's frequency, a Gaussian whose standard deviation is a quarter of that frequency.
    Neighbouring classes overlap in each frequency, but not over a whole picture.

    Args:
        per_class: Pictures of each class.
        seed: The same seed gives the same pictures.

    Returns:
        Pictures, uint8 [6 * per_class, 3, 64, 64] with three equal channels, class by class, and
        their labels, int64 [6 * per_class].
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    down, across = torch.fft.fftfreq(SIDE)[:, None], torch.fft.fftfreq(SIDE)[None, :]
    frequency = (down.square() + across.square()).sqrt()
    pictures = []
    for grade in range(CLASSES):
        center = 1 / (FINEST * COARSER**grade)
        band = torch.exp(-((frequency - center) / (center / 4)).square() / 2)
        white = torch.randn(per_class, SIDE, SIDE, generator=generator)
        noise = torch.fft.ifft2(torch.fft.fft2(white) * band).real
        noise = noise / noise.std((1, 2), keepdim=True)
        pictures.append((40 * noise + 128).clamp(0, 255).round().byte())
    labels = torch.arange(CLASSES).repeat_interleave(per_class)
    return torch.cat(pictures)[:, None].expand(-1, 3, -1, -1).contiguous(), labels
