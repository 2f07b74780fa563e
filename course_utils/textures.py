"""Grain: a synthetic task of textures, which are unlike the photographs of ImageNet."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

CLASSES = 6
FINEST = 4.0  # pixels from a grain to the next, in class 0
COARSER = 1.06  # the grain size of a class, as a multiple of the class before it
SIDE = 64


def grain(per_class: int, seed: int) -> tuple[Tensor, Tensor]:
    """Make pictures of grey noise with six grain sizes. The label is the grain size.

    Each picture is white noise from which a band of frequencies is kept. The band is the same in
    all directions. It is a Gaussian around the frequency of the class, and its standard deviation
    is a quarter of that frequency. The bands of neighbouring classes overlap, so a single
    frequency doesn't tell the classes apart, but a whole picture does.

    Args:
        per_class: the number of pictures of each class.
        seed: the seed of the noise. The same seed gives the same pictures.

    Returns:
        The pictures, uint8 [6 * per_class, 3, 64, 64] with three equal channels, class by class,
        and their labels, int64 [6 * per_class].
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
