"""How a test's tensor is laid out in memory, for a copy of it that is laid out the same."""

from __future__ import annotations

import torch

_MOST_GAPS = 4  # places of memory for an element that crosses


def layout(tensor: torch.Tensor) -> list[int] | None:
    """The strides of a tensor that isn't contiguous; None where a contiguous one must do."""
    if tensor.is_contiguous():
        return None
    once = _without_repeats(tensor.detach())
    taken = 1
    for stride, size in sorted(zip(once.stride(), once.shape, strict=True)):
        if size > 1 and stride < taken:
            return None  # elements overlap, as those of `unfold` do
        taken += (size - 1) * stride
    return None if taken > _MOST_GAPS * once.numel() else list(tensor.stride())


def laid_out(values: torch.Tensor, strides: list[int]) -> torch.Tensor:
    """The same values with these strides, in memory of their own."""
    made = torch.empty_strided(values.shape, strides, dtype=values.dtype, device=values.device)
    once = _without_repeats(made)
    once.copy_(values[tuple(map(slice, once.shape))])
    return made


def _without_repeats(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor's part in which an axis that was expanded has one element."""
    for axis, stride in enumerate(tensor.stride()):
        tensor = tensor.narrow(axis, 0, 1) if stride == 0 and tensor.shape[axis] else tensor
    return tensor
