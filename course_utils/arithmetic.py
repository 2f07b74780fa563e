"""The arithmetic of convolutional networks: sizes, parameters, multiply-adds, receptive fields.

    >>> output_size(227, kernel=11, stride=4)
    55
    >>> rows = trace((3, 227, 227), [Conv(96, 11, stride=4), Pool(3, stride=2)])
    >>> rows[1].shape, rows[1].parameters, rows[2].receptive_field
    ((96, 55, 55), 34944, (19, 19))

Shapes are written as in PyTorch: channels first, then the size of each spatial axis (one, two or
three axes).
Source: V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep learning" (2016);
for receptive fields A. Araujo, W. Norris and J. Sim, "Computing receptive fields of convolutional
neural networks", Distill (2019).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from numbers import Integral
from typing import overload

Extent = int | tuple[int, ...]


class ShapeError(ValueError):
    """A setting that no convolution can have. The message says why, and which setting works."""


@dataclass(frozen=True)
class Conv:
    """A convolution with `filters` kernels.

    Each kernel reaches over all input channels, or over all input channels of its group.
    """

    filters: int
    kernel: Extent
    stride: Extent = 1
    padding: Extent = 0
    dilation: Extent = 1
    groups: int = 1
    bias: bool = True

    def __str__(self) -> str:
        return f"conv {_by(self.kernel)}, {self.filters}" + _unless_one(self.stride)


@dataclass(frozen=True)
class Pool:
    """A pooling layer. Maximum and mean pooling have the same arithmetic."""

    kernel: Extent
    stride: Extent | None = None
    padding: Extent = 0

    @property
    def step(self) -> Extent:
        """How far the window moves: the stride, or the window's own size if there is no stride."""
        return self.kernel if self.stride is None else self.stride

    def __str__(self) -> str:
        return f"pool {_by(self.kernel)}" + _unless_one(self.step)


@dataclass(frozen=True)
class Dense:
    """A fully connected layer: every unit sees the whole output of the layer before it."""

    units: int
    bias: bool = True

    def __str__(self) -> str:
        return f"dense {self.units}"


Layer = Conv | Pool | Dense


@dataclass(frozen=True)
class Row:
    """One row of an architecture's table: a layer, its output and its costs.

    Attributes:
        layer: the layer, or None for the network's input.
        shape: the shape of the output: channels, then space; only (units,) after a dense layer.
        parameters: the number of trainable weights and biases.
        macs: the multiply-adds for one example; biases and comparisons aren't counted.
        receptive_field: along each axis, how many input positions one output unit depends on.
        jump: along each axis, the distance in the input between the windows of two neighbouring
            output units, in positions.
        padding: along each axis, how far the window of the first output unit reaches beyond the
            input's edge.
    """

    layer: Layer | None
    shape: tuple[int, ...]
    parameters: int
    macs: int
    receptive_field: tuple[int, ...]
    jump: tuple[int, ...]
    padding: tuple[int, ...]

    @property
    def activations(self) -> int:
        """How many numbers the output holds."""
        return prod(self.shape)

    def sees(self, *unit: int) -> tuple[range, ...]:
        """Find the input positions that one output unit depends on.

        Args:
            unit: the position of the output unit, one index for each axis.

        Returns:
            A range of positions for each axis. A position below zero, or beyond the input's end,
            is padding.

        Raises:
            ShapeError: `unit` has too few or too many indices.
        """
        _require(len(unit) == len(self.jump), f"unit needs {len(self.jump)} indices, got {unit}")
        starts = [
            index * jump - pad
            for index, jump, pad in zip(unit, self.jump, self.padding, strict=True)
        ]
        fields = zip(starts, self.receptive_field, strict=True)
        return tuple(range(start, start + field) for start, field in fields)


@overload
def output_size(
    size: int,
    kernel: int,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    *,
    exact: bool = False,
) -> int: ...
@overload
def output_size(
    size: tuple[int, ...],
    kernel: Extent,
    stride: Extent = 1,
    padding: Extent = 0,
    dilation: Extent = 1,
    *,
    exact: bool = False,
) -> tuple[int, ...]: ...
def output_size(
    size: Extent,
    kernel: Extent,
    stride: Extent = 1,
    padding: Extent = 0,
    dilation: Extent = 1,
    *,
    exact: bool = False,
) -> Extent:
    """Compute the output size of a convolution or a pool: ⌊(i + 2p − d(k−1) − 1)/s⌋ + 1.

    Every setting may be a tuple with one number for each axis, or one number for all axes.

    Args:
        size: the input's size i: a number for one axis, a tuple for more.
        kernel: the window's size k.
        stride: how far the window moves at each step, s.
        padding: how many zeros are added at both ends of each axis, p.
        dilation: the distance between neighbouring taps of the window, d.
        exact: whether to refuse a size at which the last window doesn't end at the edge. This is
            the convention of Stanford's cs231n. PyTorch drops the positions that are left over.

    Returns:
        The number of windows along each axis: a number if `size` is a number, else a tuple.

    Raises:
        ShapeError: no window fits, or a number is out of range.
    """
    sizes = size if isinstance(size, tuple) else (size,)
    settings = [
        _on_every_axis(name, value, len(sizes), least)
        for name, value, least in [
            ("size", size, 1),
            ("kernel", kernel, 1),
            ("stride", stride, 1),
            ("padding", padding, 0),
            ("dilation", dilation, 1),
        ]
    ]
    outputs = tuple(_along_one_axis(*axis, exact=exact) for axis in zip(*settings, strict=True))
    return outputs if isinstance(size, tuple) else outputs[0]


def _along_one_axis(
    size: int, kernel: int, stride: int, padding: int, dilation: int, *, exact: bool
) -> int:
    reach = dilation * (kernel - 1) + 1
    padded = size + 2 * padding
    missing = reach - padded
    _require(
        missing <= 0,
        f"The window spans {reach} positions but the padded input has only {padded}: "
        f"use padding {padding + (missing + 1) // 2} or more, or a smaller kernel or dilation.",
    )
    left_over = (padded - reach) % stride
    _require(
        left_over == 0 or not exact,
        f"The window can't end at the edge: ({padded} − {reach}) / {stride} is not a whole number. "
        f"The next larger input that works is {size - left_over + stride}.",
    )
    return (padded - reach) // stride + 1


def same_padding(size: int, kernel: int, stride: int = 1, dilation: int = 1) -> tuple[int, int]:
    """Compute the padding of one axis with which the output size is ⌈size / stride⌉.

    This is TensorFlow's padding "SAME": max((⌈i/s⌉ − 1)s + d(k−1) + 1 − i, 0) zeros in total. If
    the total is odd, the end gets one zero more than the beginning.

    Args:
        size: the input's size i along the axis.
        kernel: the window's size k.
        stride: how far the window moves at each step, s.
        dilation: the distance between neighbouring taps of the window, d.

    Returns:
        The zeros before the input and the zeros after it.

    Raises:
        ShapeError: a number is out of range.
    """
    settings = {"size": size, "kernel": kernel, "stride": stride, "dilation": dilation}
    for name, value in settings.items():
        _on_every_axis(name, value, 1, 1)
    steps = -(-size // stride) - 1
    total = max(steps * stride + dilation * (kernel - 1) + 1 - size, 0)
    return total // 2, total - total // 2


def trace(shape: tuple[int, ...], layers: Iterable[Layer]) -> list[Row]:
    """Follow an input through a chain of layers, and compute the row of each layer.

    Args:
        shape: the shape of the input: channels, then the size of each spatial axis.
        layers: the layers, in order.

    Returns:
        One row for the input, then one row for each layer.

    Raises:
        ShapeError: a layer doesn't fit its input. The message names the layer.
    """
    _require(len(shape) >= 1, "shape needs channels, then the size of each axis; got ()")
    shape = _on_every_axis("shape", shape, len(shape), 1)
    space = len(shape) - 1
    rows = [Row(None, shape, 0, 0, (1,) * space, (1,) * space, (0,) * space)]
    for number, layer in enumerate(layers, start=1):
        try:
            rows.append(_after(rows[-1], layer))
        except ShapeError as error:
            raise ShapeError(f"Layer {number} ({layer}): {error}") from None
    return rows


def _after(row: Row, layer: Layer) -> Row:
    return _after_dense(row, layer) if isinstance(layer, Dense) else _after_window(row, layer)


def _after_dense(row: Row, dense: Dense) -> Row:
    (units,) = _on_every_axis("units", dense.units, 1, 1)
    macs = row.activations * units
    # A dense layer is a convolution whose kernel covers the whole feature map.
    field = _widen(row, row.shape[1:] or (1,) * len(row.jump), 1)
    return Row(dense, (units,), macs + units * dense.bias, macs, field, row.jump, row.padding)


def _after_window(row: Row, layer: Conv | Pool) -> Row:
    channels, *space = row.shape
    _require(len(space) > 0, f"needs an image, but what reaches it has the shape {row.shape}")
    stride = layer.step if isinstance(layer, Pool) else layer.stride
    dilation = layer.dilation if isinstance(layer, Conv) else 1
    size = output_size(tuple(space), layer.kernel, stride, layer.padding, dilation)
    kernels, strides, paddings = (
        _on_every_axis("setting", value, len(space), 0)
        for value in (layer.kernel, stride, layer.padding)
    )
    filters, parameters, macs = channels, 0, 0
    if isinstance(layer, Conv):
        filters = layer.filters
        weights = _weights_of_one_filter(layer, channels, kernels)
        parameters = filters * (weights + layer.bias)
        macs = filters * weights * prod(size)
    else:
        _check_pool_padding(layer, kernels, paddings)
    edges = zip(row.padding, paddings, row.jump, strict=True)
    return Row(
        layer,
        (filters, *size),
        parameters,
        macs,
        receptive_field=_widen(row, kernels, dilation),
        jump=tuple(a * b for a, b in zip(row.jump, strides, strict=True)),
        padding=tuple(before + more * apart for before, more, apart in edges),
    )


def _widen(row: Row, kernels: tuple[int, ...], dilation: Extent) -> tuple[int, ...]:
    """The receptive field of a window over `row`: r + d(k − 1)·jump."""
    dilations = _on_every_axis("dilation", dilation, len(kernels), 1)
    axes = zip(row.receptive_field, dilations, kernels, row.jump, strict=True)
    return tuple(r + d * (k - 1) * jump for r, d, k, jump in axes)


def _weights_of_one_filter(conv: Conv, channels: int, kernels: tuple[int, ...]) -> int:
    for name, value in (("filters", conv.filters), ("groups", conv.groups)):
        _on_every_axis(name, value, 1, 1)
    for name, count in (("input channels", channels), ("filters", conv.filters)):
        _require(
            count % conv.groups == 0,
            f"{count} {name} can't be shared out to {conv.groups} groups evenly: "
            f"choose groups that divide {count}.",
        )
    return channels // conv.groups * prod(kernels)


def _check_pool_padding(pool: Pool, kernels: tuple[int, ...], paddings: tuple[int, ...]) -> None:
    _require(
        all(2 * padding <= kernel for padding, kernel in zip(paddings, kernels, strict=True)),
        f"padding {_by(pool.padding)} is more than half of the window {_by(pool.kernel)}: "
        "some windows would hold nothing but padding; use less.",
    )


def table(rows: Iterable[Row]) -> str:
    """Write the rows as text, one line for each row, with the totals in the last line.

    An output is written as space, then channels, for example 55×55×96.

    Args:
        rows: the rows, from `trace`.
    """
    lines = [("layer", "output", "parameters", "multiply-adds", "sees")]
    parameters = macs = 0
    for row in rows:
        channels, *space = row.shape
        name = "input" if row.layer is None else str(row.layer)
        size = _by((*space, channels))
        lines.append((name, size, f"{row.parameters:,}", f"{row.macs:,}", _by(row.receptive_field)))
        parameters, macs = parameters + row.parameters, macs + row.macs
    lines.append(("total", "", f"{parameters:,}", f"{macs:,}", ""))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _on_every_axis(name: str, value: Extent, axes: int, least: int) -> tuple[int, ...]:
    """`value` as one number for each axis. Each number must be whole and at least `least`."""
    values = value if isinstance(value, tuple) else (value,) * axes
    _require(len(values) == axes, f"{name} needs one number or {axes}, got {value}")
    for number in values:
        _require(
            isinstance(number, Integral) and not isinstance(number, bool) and number >= least,
            f"{name} must be a whole number, at least {least}; got {number!r}",
        )
    return values


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ShapeError(message)


def _by(extent: Extent) -> str:
    return "×".join(map(str, extent if isinstance(extent, tuple) else (extent, extent)))


def _unless_one(stride: Extent) -> str:
    return "" if stride == 1 else f", stride {stride if isinstance(stride, int) else _by(stride)}"
