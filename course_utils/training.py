"""Training on few pictures: a new head on the features of a frozen network, or a whole network.

All random numbers here come from torch's global generator. To repeat a run, call
`torch.manual_seed` before the model is built.
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
    """Compute features of pictures: the mean of each channel of some layers over all positions.

    Args:
        network: a network with its convolutions in `.features`, such as SqueezeNet, AlexNet or
            VGG. It is used frozen, in eval mode.
        images: uint8 [N, 3, H, W]; red, green, blue.
        size: the side of the pictures after `preprocess`.
        layers: for each name of a layer, its index in `.features`.

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
    """Find the best linear layer for some features with L-BFGS. Nothing in it is random.

    The features are standardised first. The standardisation is then folded into the layer, so the
    layer takes features as they are.

    Args:
        features: [N, D].
        labels: integers [N], from 0.
        penalty: the factor of the sum of the squared weights, which is added to the
            cross-entropy.

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
    """Make a network that can be trained from scratch.

    It has three blocks of convolution, batch norm, ReLU and max pool; then the mean over all
    positions, dropout and a linear layer.

    Args:
        classes: the number of logits.
        width: the filters of the first block. Each further block has twice as many as the block
            before it.

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
    """Make parameter groups for an optimiser, in which earlier layers learn more slowly.

    Args:
        network: a network with `.features` and `.classifier`.
        head: the learning rate of the classifier.
        body: the learning rate of the last layer in `.features`.
        factor: the rate of each earlier layer, as a multiple of the rate of the layer after it.

    Returns:
        The groups, for an optimiser or for `fit`.
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
    """Train a model in place, on batches of 16 pictures that are mirrored at random.

    The optimiser is AdamW. The learning rate rises for a fifth of the steps and then falls to
    nearly zero. Parameters that are in no group stay as they are.

    Args:
        model: a module from [N, 3, H, W] to logits.
        images: preprocessed pictures, float32 [N, 3, H, W].
        labels: integers [N].
        rates: the highest learning rate, or parameter groups with a rate `lr` each.
        steps: the number of batches.
        shift: the most pixels by which each batch is moved at random. Pixels that leave on one
            side enter on the other.

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
    model.train().to(memory_format=torch.channels_last)  # faster on a CPU
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
    """Compute the share of pictures whose likeliest class is right, in percent.

    Args:
        model: a module from inputs to logits.
        inputs: a batch for the model, [N, ...].
        labels: integers [N].
    """
    return 100 * (_answers(model, inputs) == labels).float().mean().item()


def balanced_accuracy(model: nn.Module, inputs: Tensor, labels: Tensor) -> float:
    """Compute the accuracy of each class, and their mean, in percent.

    Args:
        model: a module from inputs to logits.
        inputs: a batch for the model, [N, ...].
        labels: integers [N].

    Returns:
        The mean over the classes.
    """
    import torch

    right = (_answers(model, inputs) == labels).double()
    return 100 * torch.stack([right[labels == c].mean() for c in labels.unique()]).mean().item()


def _answers(model: nn.Module, inputs: Tensor) -> Tensor:
    import torch

    with torch.no_grad():
        return torch.cat([model(part).argmax(1) for part in inputs.split(BATCH)])
