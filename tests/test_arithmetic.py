"""The course's arithmetic against torch, against properties, and against published figures."""

from __future__ import annotations

import math
import subprocess
import sys
from itertools import product

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn

from course_utils.arithmetic import (
    Conv,
    Dense,
    Pool,
    ShapeError,
    output_size,
    same_padding,
    table,
    trace,
)

GRID = list(product((1, 2, 5, 7, 12), (1, 2, 3, 5), (1, 2, 3), (0, 1, 2), (1, 2, 3)))

ALEXNET = [
    *(Conv(96, 11, stride=4), Pool(3, stride=2)),
    *(Conv(256, 5, padding=2, groups=2), Pool(3, stride=2)),
    Conv(384, 3, padding=1),
    Conv(384, 3, padding=1, groups=2),
    *(Conv(256, 3, padding=1, groups=2), Pool(3, stride=2)),
    *(Dense(4096), Dense(4096), Dense(1000)),
]
VGG16 = [
    layer
    for filters, depth in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
    for layer in (*[Conv(filters, 3, padding=1)] * depth, Pool(2))
] + [Dense(4096), Dense(4096), Dense(1000)]


# Against torch


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_output_size_is_torchs_and_refuses_what_torch_refuses(axes):
    convolution = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[axes - 1]
    refused = 0
    for size, kernel, stride, padding, dilation in GRID:
        layer = convolution(1, 1, kernel, stride, padding, dilation, device="meta")
        settings = (kernel, stride, padding, dilation)
        try:
            want = tuple(layer(torch.empty(1, 1, *[size] * axes, device="meta")).shape[2:])
        except RuntimeError:
            refused += 1
            with pytest.raises(ShapeError, match="The window spans"):
                output_size((size,) * axes, *settings)
            continue
        assert output_size((size,) * axes, *settings) == want
        assert output_size(size, *settings) == want[0]
    assert refused > 50


@st.composite
def convolutions(draw):
    """A convolution with its own number on each axis, and an input that it fits."""
    axes = draw(st.integers(1, 3))
    per_axis = {
        name: tuple(draw(st.integers(low, high)) for _ in range(axes))
        for name, low, high in [
            ("kernel", 1, 4),
            ("stride", 1, 3),
            ("padding", 0, 2),
            ("dilation", 1, 2),
        ]
    }
    size = tuple(draw(st.integers(7, 12)) for _ in range(axes))
    groups = draw(st.integers(1, 3))
    channels = groups * draw(st.integers(1, 3))
    filters = groups * draw(st.integers(1, 3))
    return (channels, *size), Conv(filters, **per_axis, groups=groups, bias=draw(st.booleans()))


@given(convolutions())
def test_a_convolutions_row_is_torchs(case):
    shape, conv = case
    module = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[len(shape) - 2](
        shape[0],
        conv.filters,
        conv.kernel,
        conv.stride,
        conv.padding,
        conv.dilation,
        groups=conv.groups,
        bias=conv.bias,
        device="meta",
    )
    row = trace(shape, [conv])[1]
    out = module(torch.empty(1, *shape, device="meta"))
    assert row.shape == out.shape[1:]
    assert row.parameters == sum(p.numel() for p in module.parameters())
    assert row.activations == out.numel()
    assert row.macs == out[0, 0].numel() * module.weight.numel()


@pytest.mark.parametrize("pool", [Pool(2), Pool(3, stride=2), Pool(3, stride=2, padding=1)])
def test_a_pool_is_torchs(pool):
    out = nn.MaxPool2d(pool.kernel, pool.stride, pool.padding)(torch.zeros(1, 4, 13, 12))
    row = trace((4, 13, 12), [pool])[1]
    assert row.shape == out.shape[1:]
    assert (row.parameters, row.macs) == (0, 0)


@given(
    st.lists(
        st.builds(
            Conv,
            filters=st.just(1),
            kernel=st.integers(1, 4),
            stride=st.integers(1, 3),
            padding=st.integers(0, 2),
            dilation=st.integers(1, 2),
            bias=st.just(False),
        ),
        min_size=1,
        max_size=4,
    ),
    st.data(),
)
def test_a_unit_sees_what_its_gradient_reaches(layers, data):
    try:
        row = trace((1, 60), layers)[-1]
    except ShapeError:
        assume(False)
    unit = data.draw(st.integers(0, row.shape[1] - 1))
    image = torch.ones(1, 1, 60, requires_grad=True)
    x = image
    for layer in layers:
        weight = torch.ones(1, 1, layer.kernel)
        x = nn.functional.conv1d(x, weight, None, layer.stride, layer.padding, layer.dilation)
    x[0, 0, unit].backward()
    reached = image.grad.flatten().nonzero().flatten().tolist()
    (seen,) = row.sees(unit)
    assert set(reached) <= set(seen)
    if seen.start >= 0 and seen.stop <= 60 and all(y.padding == 0 for y in layers):
        assert (reached[0], reached[-1]) == (seen[0], seen[-1])


# Properties


@given(
    *[st.integers(1, 40), st.integers(1, 9), st.integers(1, 5), st.integers(1, 4)],
)
def test_same_gives_the_size_divided_by_the_stride_with_the_least_padding(
    size, kernel, stride, dilation
):
    before, after = same_padding(size, kernel, stride, dilation)
    assert after - before in (0, 1)
    padded = size + before + after
    want = math.ceil(size / stride)
    assume(padded >= dilation * (kernel - 1) + 1)
    assert output_size(padded, kernel, stride, 0, dilation) == want
    reach = dilation * (kernel - 1) + 1
    if before + after > 0 and padded - 1 >= reach:
        assert output_size(padded - 1, kernel, stride, 0, dilation) < want


@given(*[st.integers(1, 60), st.integers(1, 9), st.integers(1, 5), st.integers(0, 4)])
def test_exact_agrees_with_floor_or_names_an_input_that_works(size, kernel, stride, padding):
    assume(size + 2 * padding >= kernel)
    try:
        assert output_size(size, kernel, stride, padding, exact=True) == output_size(
            size, kernel, stride, padding
        )
    except ShapeError as error:
        larger = int(str(error).split()[-1].rstrip("."))
        assert size < larger < size + stride
        want = output_size(size, kernel, stride, padding) + 1
        assert output_size(larger, kernel, stride, padding, exact=True) == want


@given(st.integers(1, 20), st.integers(1, 12), st.integers(0, 3), st.integers(1, 4))
def test_a_refusal_names_a_padding_that_works(size, kernel, padding, dilation):
    try:
        output_size(size, kernel, 1, padding, dilation)
    except ShapeError as error:
        enough = int(str(error).split("use padding ")[1].split()[0])
        assert output_size(size, kernel, 1, enough, dilation) >= 1
        with pytest.raises(ShapeError):
            output_size(size, kernel, 1, enough - 1, dilation)


# Published figures (the sources are in the lectures)


def test_alexnets_first_layer():
    assert output_size(227, 11) == 217
    assert output_size(227, 11, stride=4, exact=True) == 55
    with pytest.raises(ShapeError, match=r"\(224 − 11\) / 4 is not a whole number.* is 227"):
        output_size(224, 11, stride=4, exact=True)
    row = trace((3, 227, 227), ALEXNET)[1]
    assert row.shape == (96, 55, 55)
    assert row.activations == 290_400
    assert row.parameters == 34_944
    assert row.activations * (row.parameters // 96) == 105_705_600  # without shared weights


def test_alexnet():
    rows = trace((3, 227, 227), ALEXNET)
    assert [row.shape[1] for row in rows[1:9]] == [55, 27, 27, 13, 13, 13, 13, 6]
    assert rows[8].shape == (256, 6, 6)
    assert rows[8].receptive_field == (195, 195)
    assert sum(row.parameters for row in rows) == 60_965_224


def test_vgg16():
    rows = trace((3, 224, 224), VGG16)
    convolutions = [row for row in rows if isinstance(row.layer, Conv)]
    assert sum(row.parameters for row in rows) == 138_357_544
    assert sum(row.parameters for row in convolutions) == 14_714_688
    assert sum(row.macs for row in rows) == 15_470_264_320
    assert sum(row.activations for row in rows) == 15_237_608
    last_pool = rows[18]
    assert last_pool.shape == (512, 7, 7)
    assert last_pool.receptive_field == (212, 212)
    assert last_pool.jump == (32, 32)
    assert last_pool.padding == (90, 90)
    assert rows[17].receptive_field == (196, 196)  # conv5_3
    assert rows[7].receptive_field == (24, 24)  # conv3_1


def test_stacked_three_by_threes():
    def stack(depth):
        return trace((64, 32, 32), [Conv(64, 3, padding=1, bias=False)] * depth)

    def one(kernel):
        return trace((64, 32, 32), [Conv(64, kernel, padding=kernel // 2, bias=False)])[1]

    for depth, kernel, ratio in ((2, 5, (18, 25)), (3, 7, (27, 49))):
        rows = stack(depth)
        assert rows[-1].receptive_field == one(kernel).receptive_field == (kernel, kernel)
        assert sum(row.parameters for row in rows) == ratio[0] * 64**2
        assert one(kernel).parameters == ratio[1] * 64**2
        assert sum(row.activations for row in rows[1:]) == depth * one(kernel).activations


def test_a_volume_as_depth_and_as_channels():
    as_depth = trace((1, 128, 128, 5), [Conv(1, (3, 3, 3))])[1]
    as_channels = trace((5, 128, 128), [Conv(1, 3)])[1]
    assert as_depth.shape == (1, 126, 126, 3)
    assert (as_depth.parameters, as_depth.macs) == (28, 1_285_956)
    assert as_channels.shape == (1, 126, 126)
    assert (as_channels.parameters, as_channels.macs) == (46, 714_420)


def test_a_unit_near_the_corner_looks_beyond_the_edge():
    row = trace((1, 5, 5), [Conv(1, 3, padding=1)])[1]
    assert row.sees(0, 4) == (range(-1, 2), range(3, 6))
    with pytest.raises(ShapeError, match="needs 2 indices"):
        row.sees(0)


# Bad input


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kernel": 0}, "kernel must be a whole number, at least 1; got 0"),
        ({"kernel": 3, "stride": 0}, "stride must be a whole number, at least 1"),
        ({"kernel": 3, "stride": 2.0}, "stride must be a whole number, at least 1; got 2.0"),
        ({"kernel": 3, "padding": -1}, "padding must be a whole number, at least 0"),
        ({"kernel": True}, "kernel must be a whole number"),
        ({"kernel": 3, "dilation": "same"}, "dilation must be a whole number"),
        ({"kernel": (3, 3)}, r"kernel needs one number or 1, got \(3, 3\)"),
    ],
)
def test_refuses_bad_settings_by_name(settings, message):
    with pytest.raises(ShapeError, match=message):
        output_size(7, **settings)


@pytest.mark.parametrize(
    ("shape", "layers", "message"),
    [
        ((), [], "shape needs channels"),
        ((3, 0), [], "shape must be a whole number, at least 1; got 0"),
        ((3, 9, 9), [Conv(4, 3, groups=2)], "Layer 1 .*3 input channels can't be shared out"),
        ((4, 9, 9), [Conv(3, 3, groups=2)], "3 filters can't be shared out"),
        ((4, 9, 9), [Conv(0, 3)], "filters must be a whole number"),
        ((3, 9, 9), [Pool(2, padding=2)], "more than half of the window"),
        ((3, 9, 9), [Conv(1, 3), Conv(1, 11)], r"Layer 2 \(conv 11×11, 1\): The window spans 11"),
        ((3, 9, 9), [Dense(10), Conv(1, 3)], "needs an image"),
        ((3, 9, 9), [Dense(0)], "units must be a whole number"),
    ],
)
def test_trace_names_the_layer_that_does_not_fit(shape, layers, message):
    with pytest.raises(ShapeError, match=message):
        trace(shape, layers)


def test_same_refuses_bad_numbers():
    with pytest.raises(ShapeError, match="stride must be a whole number"):
        same_padding(5, 3, 0)


def test_table():
    rows = trace((3, 32, 32), [Conv(8, 3, stride=2, padding=1), Pool(2), Dense(10)])
    assert table(rows).splitlines() == [
        "layer                   output  parameters  multiply-adds   sees",
        "input                  32×32×3           0              0    1×1",
        "conv 3×3, 8, stride 2  16×16×8         224         55,296    3×3",
        "pool 2×2, stride 2       8×8×8           0              0    5×5",
        "dense 10                    10       5,130          5,120  33×33",
        "total                                5,354         60,416",
    ]


def test_is_light():
    """Neither torch nor numpy is loaded for arithmetic."""
    program = (
        "import sys, course_utils.arithmetic; print(*{'torch', 'numpy'}.intersection(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (run.returncode, run.stdout.strip()) == (0, "")
