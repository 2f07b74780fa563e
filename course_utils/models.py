"""Pretrained SqueezeNet, how a picture enters it, and its answer in words."""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING

from course_utils.data import read_assets

if TYPE_CHECKING:
    from torch import Tensor, nn

# Of ImageNet's training pictures in 0..1, channels in the order red, green, blue.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def squeezenet(pretrained: bool = True) -> nn.Module:
    """SqueezeNet v1.1, torchvision's `squeezenet1_1`, ready to predict.

    The 1,235,496 parameters come with the course (trained on ImageNet by the authors of
    SqueezeNet, Iandola et al. 2016); nothing is downloaded. `.features` gives [N, 512, 13, 13]
    for 224×224 pictures.

    Args:
        pretrained: With ImageNet's weights, else with random ones.

    Returns:
        A module from [N, 3, H, W] to logits [N, 1000], in eval mode: dropout is off. Call
        `.train()` before training.

    Raises:
        DataError: The weights are missing or damaged.
    """
    import numpy as np
    import torch
    from torchvision.models import squeezenet1_1

    model = squeezenet1_1(weights=None)
    if pretrained:
        (blob,) = read_assets("squeezenet1_1.npz")
        with np.load(io.BytesIO(blob), allow_pickle=False) as arrays:
            state = {name: torch.from_numpy(arrays[name]).float() for name in arrays}
        model.load_state_dict(state, strict=True)
    return model.eval()


def preprocess(images: Tensor, size: int = 224) -> Tensor:
    """Pictures as ImageNet's networks want them: resized, cropped to the middle, normalised.

    Args:
        images: uint8, [N, 3, H, W] or one picture [3, H, W]; red, green, blue.
        size: The shorter side after resizing, and both sides after the crop.

    Returns:
        float32 [N, 3, size, size] with about zero mean and unit variance; one picture becomes a
        batch of one.

    Raises:
        ValueError: Not uint8, or channels not where they should be.
    """
    import torch
    from torchvision.transforms import v2

    if images.dtype != torch.uint8 or images.ndim not in (3, 4) or images.shape[-3] != 3:
        raise ValueError(
            f"Expected uint8 pictures of shape [N, 3, H, W] or [3, H, W], got {images.dtype} "
            f"{list(images.shape)}. A picture [H, W, 3] needs .permute(2, 0, 1) first."
        )
    steps = v2.Compose(
        [
            v2.ToDtype(torch.float32, scale=True),
            v2.Resize(size),
            v2.CenterCrop(size),
            v2.Normalize(IMAGENET_MEAN, IMAGENET_STD),
        ]
    )
    return steps(images.reshape(-1, *images.shape[-3:]))


@cache
def imagenet_classes() -> tuple[str, ...]:
    """The names of ImageNet's 1000 classes, in the order of a network's logits."""
    from torchvision.models import SqueezeNet1_1_Weights

    return tuple(SqueezeNet1_1_Weights.IMAGENET1K_V1.meta["categories"])


def top_k(logits: Tensor, k: int = 5) -> list[tuple[str, float]]:
    """The k likeliest ImageNet classes of one picture, with their softmax probabilities.

    Args:
        logits: [1000] or [1, 1000].
        k: How many.

    Returns:
        (class name, probability) pairs, the likeliest first.

    Raises:
        ValueError: More than one picture, or not 1000 logits each.
    """
    if tuple(logits.shape) not in {(1000,), (1, 1000)}:
        raise ValueError(
            f"Expected one picture's logits, [1000] or [1, 1000], got {list(logits.shape)}. "
            "For a batch, call top_k once for each picture."
        )
    probabilities, indices = logits.detach().flatten().softmax(0).topk(k)
    names = imagenet_classes()
    return [(names[i], p) for i, p in zip(indices.tolist(), probabilities.tolist(), strict=True)]
