"""Training on few pictures: a new head on a frozen network's features, or all of the network.

What is random here comes from torch's global generator: call `torch.manual_seed` before the model
is built, and a run can be repeated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from course_utils.models import LAYERS, preprocess

if TYPE_CHECKING:
    from torch import Tensor, nn

BATCH = 16


def layer_means(
    network: nn.Module, images: Tensor, size: int = 224, layers: Mapping[str, int] = LAYERS
) -> dict[str, Tensor]:
    """What a frozen network makes of pictures: each channel's mean over all positions.

    Args:
        network: With its convolutions in `.features`, as SqueezeNet, AlexNet and VGG have them.
        images: uint8 [N, 3, H, W]; red, green, blue.
        size: The side to which `preprocess` brings them.
        layers: By name, the index in `.features` of the layers to stop at.

    Returns:
        For each name float32 [N, channels of that layer].
    """
    import torch

    means: dict[str, list[Tensor]] = {name: [] for name in layers}
    stops = {index: name for name, index in layers.items()}
    network.eval()
    with torch.no_grad():
        for part in images.split(BATCH):
            maps = preprocess(part, size)
            for index, layer in enumerate(network.get_submodule("features").children()):
                maps = layer(maps)
                if index in stops:
                    means[stops[index]].append(maps.mean((2, 3)))
    return {name: torch.cat(parts) for name, parts in means.items()}


def logistic_regression(features: Tensor, labels: Tensor, penalty: float = 0.1) -> nn.Linear:
    """The best linear layer for these features, found by L-BFGS; nothing in it is random.

    Features are standardised first, and the standardisation is folded into the layer.

    Args:
        features: [N, D].
        labels: Integers [N], from 0.
        penalty: Times the sum of the squared weights is added to the cross-entropy.

    Returns:
        A layer from features [*, D] to logits [*, classes].
    """
    import torch
    from torch.nn import functional as F

    mean, std = features.mean(0), features.std(0) + 1e-6
    standard = (features - mean) / std
    weight = torch.zeros(int(labels.max()) + 1, features.shape[1], requires_grad=True)
    bias = torch.zeros(len(weight), requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(F.linear(standard, weight, bias), labels)
        loss = loss + penalty * weight.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    layer = torch.nn.Linear(features.shape[1], len(weight))
    with torch.no_grad():
        layer.weight.copy_(weight / std)
        layer.bias.copy_(bias - layer.weight @ mean)
    return layer


def small_cnn(classes: int, width: int = 16) -> nn.Sequential:
    """A network to train from scratch.

    Three blocks of convolution, batch norm, ReLU and max pool; then the mean over all positions,
    dropout and a linear layer.

    Args:
        classes: How many logits.
        width: Filters of the first block; each further block has twice as many.

    Returns:
        A module from [N, 3, H, W] to logits [N, classes], for any H and W from 8 on.
    """
    from torch import nn

    layers: list[nn.Module] = []
    channels = 3
    for filters in (width, 2 * width, 4 * width):
        layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.BatchNorm2d(filters)]
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
        channels = filters
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.3)]
    return nn.Sequential(*layers, nn.Linear(channels, classes))


def discriminative_rates(
    network: nn.Module, head: float, body: float, factor: float
) -> list[dict[str, Any]]:
    """Parameter groups for an optimiser: the earlier a layer, the slower it learns.

    Args:
        network: With `.features` and `.classifier`.
        head: Learning rate of the classifier.
        body: Learning rate of the last layer in `.features`.
        factor: Each earlier layer has this times the rate of the layer after it.
    """
    parameters = list(network.get_submodule("classifier").parameters())
    groups: list[dict[str, Any]] = [{"params": parameters, "lr": head}]
    for layer in reversed(list(network.get_submodule("features").children())):
        if parameters := list(layer.parameters()):
            groups.append({"params": parameters, "lr": body})
            body *= factor
    return groups


def fit(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    rates: float | Sequence[Mapping[str, Any]],
    steps: int,
    shift: int = 0,
) -> nn.Module:
    """Train `model` in place, on batches of 16, each picture mirrored at random.

    AdamW; the learning rate rises for a fifth of the steps and then falls to nothing. Parameters
    that no group names stay as they are.

    Args:
        model: From [N, 3, H, W] to logits.
        images: Preprocessed, float32 [N, 3, H, W].
        labels: Integers [N].
        rates: The highest learning rate, or parameter groups that each have their own `lr`.
        steps: How many batches.
        shift: Each batch is moved at random by up to so many pixels; what leaves on one side
            enters on the other.

    Returns:
        The model, in eval mode.
    """
    import torch
    from torch.nn import functional as F

    groups = [{"params": list(model.parameters()), "lr": rates}]
    optimizer = torch.optim.AdamW(groups if isinstance(rates, float) else [dict(g) for g in rates])
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, [group["lr"] for group in optimizer.param_groups], steps, pct_start=0.2
    )
    model.train().to(memory_format=torch.channels_last)  # faster on a processor
    images = images.contiguous(memory_format=torch.channels_last)
    for step in range(steps):
        per_epoch = -(-len(images) // BATCH)
        if step % per_epoch == 0:
            order = torch.randperm(len(images)).split(BATCH)
        chosen = order[step % per_epoch]
        mirrored = torch.rand(len(chosen), 1, 1, 1) < 0.5
        batch = torch.where(mirrored, images[chosen].flip(3), images[chosen])
        if shift:
            batch = batch.roll(torch.randint(-shift, shift + 1, (2,)).tolist(), (2, 3))
        loss = F.cross_entropy(model(batch), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model.eval()


def accuracy(model: nn.Module, inputs: Tensor, labels: Tensor) -> float:
    """The share of right first answers, in percent."""
    return 100 * (_answers(model, inputs) == labels).float().mean().item()


def balanced_accuracy(model: nn.Module, inputs: Tensor, labels: Tensor) -> float:
    """The mean, over the classes, of the share of right first answers in each, in percent."""
    import torch

    right = (_answers(model, inputs) == labels).double()
    return 100 * torch.stack([right[labels == c].mean() for c in labels.unique()]).mean().item()


def _answers(model: nn.Module, inputs: Tensor) -> Tensor:
    import torch

    with torch.no_grad():
        return torch.cat([model(part).argmax(1) for part in inputs.split(BATCH)])
