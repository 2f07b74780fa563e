"""A torch network read as a list of layers, its table, and the memory that training it takes.

>>> with torch.device("meta"):  # shapes without numbers: no memory, no waiting
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
    """A network that is no chain of known layers; the message names the layer that stands out."""


def layers_of(network: nn.Module, shape: tuple[int, int, int]) -> list[Layer]:
    """The convolutions, pools and dense layers that an image meets, in this order.

    Layers that change neither shape nor receptive field and have no parameters (ReLU, dropout,
    flatten) are left out, and so is an adaptive pool with nothing to do.

    Args:
        network: A chain of layers, as AlexNet and VGG are; on any device, meta too.
        shape: Of one image: channels, height, width.

    Raises:
        NotAChainError: A layer of another kind, or one that doesn't take what the last one gave.
    """
    import torch

    met: list[tuple[str, nn.Module, torch.Size, torch.Size]] = []
    hooks = [
        module.register_forward_hook(
            lambda module, given, result, name=name: met.append(
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
    for name, module, given, result in met:
        if given.numel() != size:
            raise NotAChainError(
                f"Layer {name} ({type(module).__name__}) takes {given.numel():,} numbers, but the "
                f"layer before it gives {size:,}: the network branches, and has no single table."
            )
        size = result.numel()
        layers += _read(name, module, given, result)
    return layers


def _read(name: str, module: nn.Module, given: Any, result: Any) -> list[Layer]:
    """The layer that `module` is to the arithmetic: one, or none."""
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
    """(3, 3) as 3, which reads better."""
    if isinstance(extent, tuple) and len(set(extent)) == 1:
        return int(extent[0])
    return extent


def in_blocks(rows: Sequence[Row], of: str) -> dict[str, int]:
    """The sum of one column over each block; the dense layers form the last one.

    Args:
        rows: From `trace`; a block ends with its pool.
        of: The column: "parameters", "macs" or "activations".
    """
    sums: dict[str, int] = {}
    block = 1
    for row in rows[1:]:
        name = "dense" if isinstance(row.layer, Dense) else f"block {block}"
        sums[name] = sums.get(name, 0) + getattr(row, of)
        block += isinstance(row.layer, Pool)
    return sums


def cost_of(network: nn.Module, shape: tuple[int, int, int]) -> tuple[int, int]:
    """Parameters and multiply-adds for one image, of a network that may branch.

    Args:
        network: Of 2-D convolutions and dense layers, and layers that multiply nothing (norms are
            not counted); on any device, meta too.
        shape: Of one image: channels, height, width.
    """
    import torch
    from torch import nn

    work: list[int] = []
    hooks = [
        layer.register_forward_hook(
            lambda layer, _, result: work.append(result.numel() * layer.weight[0].numel())
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
    return sum(parameter.numel() for parameter in network.parameters()), sum(work)


def kept_for_backward(network: nn.Module, shape: tuple[int, int, int]) -> int:
    """Bytes that autograd keeps from the forward pass of one image, parameters not counted.

    Measured, not calculated: PyTorch is asked what it saves. On the meta device that costs
    neither time nor memory.

    Args:
        network: In the mode in which it is trained (`train()`); on any device.
        shape: Of one image: channels, height, width.
    """
    import torch
    from torch.autograd.graph import saved_tensors_hooks

    own = {parameter.untyped_storage()._cdata for parameter in network.parameters()}
    kept: dict[int, torch.UntypedStorage] = {}  # by address; holding them keeps addresses apart

    def pack(saved: Tensor) -> Tensor:
        kept[saved.untyped_storage()._cdata] = saved.untyped_storage()
        return saved

    image = torch.zeros(1, *shape, device=next(network.parameters()).device)
    with saved_tensors_hooks(pack, lambda saved: saved):
        result = network(image)  # noqa: F841  # its graph must live until we have counted
    return sum(storage.nbytes() for address, storage in kept.items() if address not in own)


def training_peak(network: nn.Module, images: Tensor) -> int:
    """The most bytes that PyTorch held on the GPU during two steps of SGD with momentum.

    Two, because momentum is first stored at the end of the first. cuDNN's workspace is counted,
    CUDA's own memory (some hundred MiB) is not.

    Args:
        network: On a CUDA device, from images to logits.
        images: [N, C, H, W], on the same device.

    Raises:
        ValueError: The images are not on a CUDA device.
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
