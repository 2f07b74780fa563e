"""Pretrained networks: how to load them, prepare pictures, read answers, and replace heads."""

from __future__ import annotations

import io
import pickle
from functools import cache
from typing import TYPE_CHECKING

from course_utils.data import read_assets
from course_utils.errors import StudentFacingError

if TYPE_CHECKING:
    from torch import Tensor, nn

# The mean and the standard deviation of each channel (red, green, blue) over ImageNet's training
# pictures, with pixels from 0 to 1.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

# SqueezeNet's layers with weights, and the index in `.features` after which each layer, with its
# ReLU, is complete.
LAYERS = {
    "conv1": 1,
    "fire2": 3,
    "fire3": 4,
    "fire4": 6,
    "fire5": 7,
    "fire6": 9,
    "fire7": 10,
    "fire8": 11,
    "fire9": 12,
}


class DownloadError(StudentFacingError):
    """Weights couldn't be downloaded. The message says why, and what to do."""


def squeezenet(pretrained: bool = True) -> nn.Module:
    """Load SqueezeNet v1.1 (torchvision's `squeezenet1_1`), ready to predict.

    Its 1,235,496 parameters come with the course, so nothing is downloaded. The authors of
    SqueezeNet (Iandola et al. 2016) trained them on ImageNet. `.features` gives
    [N, 512, 13, 13] for 224×224 pictures.

    Args:
        pretrained: whether to load the weights trained on ImageNet. If not, the weights are
            random.

    Returns:
        A module from [N, 3, H, W] to logits [N, 1000], in eval mode (dropout is off). Call
        `.train()` before training.

    Raises:
        DataError: the weights are missing or damaged.
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


def backbone(name: str = "squeezenet1_1") -> nn.Module:
    """Load a network of torchvision with its weights IMAGENET1K_V1, ready to predict.

    SqueezeNet's weights come with the course. All other weights are downloaded once; those of
    VGG-16 have 553 MB.

    Args:
        name: the name in torchvision: "vgg16", "alexnet", "resnet18", "mobilenet_v3_small", …

    Returns:
        A module from [N, 3, H, W] to logits [N, 1000], in eval mode.

    Raises:
        DownloadError: the weights can't be downloaded, or the downloaded file is damaged.
        ValueError: torchvision has no such network, or has it without these weights.
    """
    if name == "squeezenet1_1":
        return squeezenet()
    import torch
    from torchvision.models import get_model, get_model_weights

    try:
        weights = get_model_weights(name)["IMAGENET1K_V1"]
    except (ValueError, KeyError):
        raise ValueError(
            f"torchvision has no network {name!r} with weights IMAGENET1K_V1. It has, for "
            "instance, vgg16, alexnet, resnet18 and mobilenet_v3_small."
        ) from None
    try:
        return get_model(name, weights=weights, progress=False).eval()
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        file = f"{torch.hub.get_dir()}/checkpoints/{weights.url.rpartition('/')[2]}"
        raise DownloadError(
            f"The weights of {name} could not be had ({error}). Check your connection and run the "
            f"cell again; or fetch {weights.url} elsewhere and put it into {file}, in place of any "
            "file there; or go on with squeezenet1_1, which comes with the course."
        ) from None


def swap_head(network: nn.Module, classes: int) -> nn.Module:
    """Replace a network's last layer by a new, untrained layer, in place.

    The last layer is `classifier[6]` in VGG and AlexNet, `fc` in ResNet, and `classifier[1]` in
    SqueezeNet. In SqueezeNet it is a convolution with a ReLU after it; the ReLU is removed too.

    Args:
        network: a classifier of torchvision.
        classes: the number of logits of the new head.

    Returns:
        The same network.

    Raises:
        ValueError: the network has no last layer in `.fc` or in `.classifier`.
    """
    from torch import nn

    classifier = getattr(network, "classifier", None)
    parent = classifier if isinstance(classifier, nn.Sequential) else network
    layers = [
        (name, layer)
        for name, layer in parent.named_children()
        if isinstance(layer, nn.Linear | nn.Conv2d)
    ]
    name, old = layers[-1] if layers else ("", None)
    if isinstance(old, nn.Linear):
        head: nn.Linear | nn.Conv2d = nn.Linear(old.in_features, classes)
    elif isinstance(old, nn.Conv2d) and isinstance(parent, nn.Sequential):
        head = nn.Conv2d(old.in_channels, classes, kernel_size=1)
        parent[int(name) + 1] = nn.Identity()
    else:
        raise ValueError(
            f"{type(network).__name__} has no last layer in .fc or .classifier: replace it yourself"
        )
    # Small weights, because large random logits would send large random gradients into the
    # trained layers.
    nn.init.normal_(head.weight, std=0.01)
    nn.init.zeros_(head.get_parameter("bias"))
    setattr(parent, name, head)
    return network


def preprocess(images: Tensor, size: int = 224) -> Tensor:
    """Prepare pictures for a network that was trained on ImageNet.

    The pictures are resized, cropped to the middle, and normalised.

    Args:
        images: uint8, [N, 3, H, W] or one picture [3, H, W]; red, green, blue.
        size: the shorter side after resizing, and both sides after the crop.

    Returns:
        A batch, float32 [N, 3, size, size], with mean about 0 and variance about 1. One picture
        becomes a batch of one.

    Raises:
        ValueError: the pictures are not uint8, or their channels are not in the right place.
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
    """List the names of ImageNet's 1000 classes, in the order of a network's logits."""
    from torchvision.models import SqueezeNet1_1_Weights

    return tuple(SqueezeNet1_1_Weights.IMAGENET1K_V1.meta["categories"])


def top_k(logits: Tensor, k: int = 5) -> list[tuple[str, float]]:
    """Find the k likeliest ImageNet classes of one picture, with their softmax probabilities.

    Args:
        logits: the logits of one picture, [1000] or [1, 1000].
        k: how many classes.

    Returns:
        Pairs (class name, probability), the likeliest class first.

    Raises:
        ValueError: `logits` holds more than one picture, or not 1000 logits.
    """
    if tuple(logits.shape) not in {(1000,), (1, 1000)}:
        raise ValueError(
            f"Expected one picture's logits, [1000] or [1, 1000], got {list(logits.shape)}. "
            "For a batch, call top_k once for each picture."
        )
    probabilities, indices = logits.detach().flatten().softmax(0).topk(k)
    names = imagenet_classes()
    return [(names[i], p) for i, p in zip(indices.tolist(), probabilities.tolist(), strict=True)]
