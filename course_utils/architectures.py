"""Read a torch network as a list of layers, and find what it costs in work and in memory.

>>> with torch.device("meta"):  # tensors with a shape but no numbers: no memory, no waiting
...     vgg16 = torchvision.models.vgg16()
>>> rows = trace((3, 224, 224), layers_of(vgg16, (3, 224, 224)))
>>> sum(row.parameters for row in rows)
138357544
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from course_utils.arithmetic import Conv, Dense, Extent, Layer, Pool, Row

if TYPE_CHECKING:
    from torch import Tensor, nn


class NotAChainError(ValueError):
    """The network is not a chain of known layers. The message names the layer that doesn't fit."""


def layers_of(network: nn.Module, shape: tuple[int, int, int]) -> list[Layer]:
    """List the convolutions, pools and dense layers of a network, in the order they run in.

    Layers that change neither shape nor receptive field and have no parameters (ReLU, dropout,
    flatten) are left out. An adaptive pool whose output has the shape of its input is left out
    too.

    Args:
        network: a chain of layers, such as AlexNet or VGG, on any device ("meta" too).
        shape: channels, height and width of one image.

    Returns:
        The layers, as `trace` takes them.

    Raises:
        NotAChainError: a layer is of another kind, or doesn't take what the layer before it gives.
    """
    import torch

    calls: list[tuple[str, nn.Module, torch.Size, torch.Size]] = []
    hooks = [
        module.register_forward_hook(
            lambda module, given, result, name=name: calls.append(
                (name, module, given[0].shape, result.shape)
            )
        )
        for name, module in network.named_modules()
        if not any(True for _ in module.children())
    ]
    try:
        with torch.no_grad():
            network(torch.zeros(1, *shape, device=next(network.parameters()).device))
    finally:
        for hook in hooks:
            hook.remove()
    layers = []
    size = prod(shape)
    for name, module, given, result in calls:
        if given.numel() != size:
            raise NotAChainError(
                f"Layer {name} ({type(module).__name__}) takes {given.numel():,} numbers, but the "
                f"layer before it gives {size:,}: the network branches, and has no single table."
            )
        size = result.numel()
        layers += _read(name, module, given, result)
    return layers


def _read(name: str, module: nn.Module, given: Any, result: Any) -> list[Layer]:
    """The layer that represents `module` in the arithmetic, as a list; [] if there is none."""
    from torch import nn

    if isinstance(module, nn.Conv2d) and module.padding_mode == "zeros":
        return [
            Conv(
                module.out_channels,
                _one(module.kernel_size),
                _one(module.stride),
                _one(module.padding),
                _one(module.dilation),
                module.groups,
                module.bias is not None,
            )
        ]
    if isinstance(module, nn.MaxPool2d) and not module.ceil_mode and module.dilation == 1:
        return [Pool(*(_one(e) for e in (module.kernel_size, module.stride, module.padding)))]
    if isinstance(module, nn.AdaptiveAvgPool2d) and given == result:
        return []
    if isinstance(module, nn.Linear):
        return [Dense(module.out_features, module.bias is not None)]
    if isinstance(module, nn.ReLU | nn.Dropout | nn.Flatten | nn.Identity):
        return []
    raise NotAChainError(
        f"Layer {name} ({module}) is none that the arithmetic knows: use Conv2d, MaxPool2d and "
        "Linear, and between them ReLU, Dropout, Flatten."
    )


def _one(extent: Any) -> Extent:
    """Write (3, 3) as 3, which is easier to read."""
    if isinstance(extent, tuple) and len(set(extent)) == 1:
        return int(extent[0])
    return extent


def in_blocks(rows: Sequence[Row], of: str) -> dict[str, int]:
    """Sum one column of the table over each block.

    A block ends with its pool. The dense layers form the last block.

    Args:
        rows: the rows of the table, from `trace`.
        of: the column: "parameters", "macs" or "activations".

    Returns:
        The sum for each block: "block 1", "block 2", … and "dense".
    """
    sums: dict[str, int] = {}
    block = 1
    for row in rows[1:]:
        name = "dense" if isinstance(row.layer, Dense) else f"block {block}"
        sums[name] = sums.get(name, 0) + getattr(row, of)
        block += isinstance(row.layer, Pool)
    return sums


def cost_of(network: nn.Module, shape: tuple[int, int, int]) -> tuple[int, int]:
    """Count a network's parameters, and its multiply-adds for one image.

    The network may branch. Only 2-D convolutions and dense layers are counted as work:
    the multiply-adds of normalisation layers are not.

    Args:
        network: the network, on any device ("meta" too).
        shape: channels, height and width of one image.

    Returns:
        The parameters and the multiply-adds.
    """
    import torch
    from torch import nn

    macs: list[int] = []
    hooks = [
        layer.register_forward_hook(
            lambda layer, _, result: macs.append(result.numel() * layer.weight[0].numel())
        )
        for layer in network.modules()
        if isinstance(layer, nn.Conv2d | nn.Linear)
    ]
    try:
        with torch.no_grad():
            network(torch.zeros(1, *shape, device=next(network.parameters()).device))
    finally:
        for hook in hooks:
            hook.remove()
    return sum(parameter.numel() for parameter in network.parameters()), sum(macs)


def kept_for_backward(network: nn.Module, shape: tuple[int, int, int]) -> int:
    """Count the bytes that autograd keeps from the forward pass of one image.

    Parameters are not counted. The number is measured, not calculated, because PyTorch itself
    reports what it saves. On the "meta" device this costs neither time nor memory.

    Args:
        network: the network in the mode in which it is trained (`train()`), on any device.
        shape: channels, height and width of one image.

    Returns:
        The number of bytes.
    """
    import torch
    from torch.autograd.graph import saved_tensors_hooks

    own = {parameter.untyped_storage()._cdata for parameter in network.parameters()}
    # By address. The dictionary holds the storages, so no address can be used a second time.
    storages: dict[int, torch.UntypedStorage] = {}

    def pack(saved: Tensor) -> Tensor:
        storages[saved.untyped_storage()._cdata] = saved.untyped_storage()
        return saved

    image = torch.zeros(1, *shape, device=next(network.parameters()).device)
    with saved_tensors_hooks(pack, lambda saved: saved):
        result = network(image)  # noqa: F841  # keeps the graph alive until we have counted
    return sum(storage.nbytes() for address, storage in storages.items() if address not in own)


def training_peak(network: nn.Module, images: Tensor) -> int:
    """Measure the most bytes that PyTorch holds on the GPU during training.

    The training is two steps of SGD with momentum. The second step is needed because PyTorch
    first stores the momentum at the end of the first step. The workspace of cuDNN is counted;
    the memory of CUDA itself (some hundred MiB) is not.

    Args:
        network: the network, on a CUDA device, from images to logits.
        images: [N, C, H, W], on the same device.

    Returns:
        The number of bytes.

    Raises:
        ValueError: the images are not on a CUDA device.
    """
    import torch

    if images.device.type != "cuda":
        raise ValueError(
            f"The images are on {images.device}, where PyTorch doesn't count what it holds: "
            "move them and the network to a GPU with .cuda()."
        )
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9)
    labels = torch.zeros(len(images), dtype=torch.long, device=images.device)
    torch.cuda.reset_peak_memory_stats(images.device)
    for _ in range(2):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(images), labels).backward()
        optimizer.step()
    return torch.cuda.max_memory_allocated(images.device)
