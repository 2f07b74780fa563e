"""The memory layout of a test's tensor, so that a copy can have the same layout."""

from __future__ import annotations

import torch

_MOST_GAPS = 4  # the most places of memory per element that crosses


def layout(tensor: torch.Tensor) -> list[int] | None:
    """Return the strides of a tensor that isn't contiguous; None if a contiguous copy must do."""
    if tensor.is_contiguous():
        return None
    unrepeated = _without_repeats(tensor.detach())
    extent = 1
    for stride, size in sorted(zip(unrepeated.stride(), unrepeated.shape, strict=True)):
        if size > 1 and stride < extent:
            return None  # elements overlap, as those of `unfold` do
        extent += (size - 1) * stride
    return None if extent > _MOST_GAPS * unrepeated.numel() else list(tensor.stride())


def laid_out(values: torch.Tensor, strides: list[int]) -> torch.Tensor:
    """Return the same values with these strides, in memory of their own."""
    copy = torch.empty_strided(values.shape, strides, dtype=values.dtype, device=values.device)
    unrepeated = _without_repeats(copy)
    unrepeated.copy_(values[tuple(map(slice, unrepeated.shape))])
    return copy


def _without_repeats(tensor: torch.Tensor) -> torch.Tensor:
    """Return the part of a tensor in which every expanded axis has one element."""
    for axis, stride in enumerate(tensor.stride()):
        tensor = tensor.narrow(axis, 0, 1) if stride == 0 and tensor.shape[axis] else tensor
    return tensor
