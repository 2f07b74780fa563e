"""Pretrained networks, how a picture enters them, their answer in words, and new heads."""

from __future__ import annotations

import io
import pickle
from functools import cache
from typing import TYPE_CHECKING

from course_utils.data import read_assets

if TYPE_CHECKING:
    from torch import Tensor, nn

# Of ImageNet's training pictures in 0..1, channels in the order red, green, blue.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

# SqueezeNet's layers with weights, and where in `.features` each is done, its ReLU included.
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


class DownloadError(RuntimeError):
    """Weights that couldn't be had from the network; the message says why, and what to do."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the message. The lines of code that led here help nobody."""
        return [f"{type(self).__name__}: {self}"]


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


def backbone(name: str = "squeezenet1_1") -> nn.Module:
    """A network of torchvision's with its weights IMAGENET1K_V1, ready to predict.

    SqueezeNet's come with the course. All others are downloaded, once: VGG-16's are 553 MB.

    Args:
        name: As torchvision writes it: "vgg16", "alexnet", "resnet18", "mobilenet_v3_small", …

    Returns:
        A module from [N, 3, H, W] to logits [N, 1000], in eval mode.

    Raises:
        DownloadError: The weights can't be downloaded, or what was downloaded is damaged.
        ValueError: torchvision has no such network, or none with these weights.
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
    """Replace a network's last layer by a new, untrained one, in place.

    It is `classifier[6]` in VGG and AlexNet, `fc` in ResNet, and `classifier[1]` in SqueezeNet,
    where it is a convolution with a ReLU behind it, which goes too.

    Args:
        network: A classifier of torchvision's.
        classes: Logits of the new head.

    Returns:
        The network.

    Raises:
        ValueError: There is no last layer where torchvision's classifiers have theirs.
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
    # Large random logits would send large random gradients into the trained layers.
    nn.init.normal_(head.weight, std=0.01)
    nn.init.zeros_(head.get_parameter("bias"))
    setattr(parent, name, head)
    return network


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
