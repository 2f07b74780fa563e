"""The tables of famous networks are torch's, line by line, and so is the memory that they take."""

from __future__ import annotations

import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision import models
from traitlets.config import Config

from course_utils.architecture_figures import (
    show_histograms,
    show_memory,
    show_pairs,
    show_residual,
    show_table,
)
from course_utils.architectures import (
    NotAChainError,
    cost_of,
    in_blocks,
    kept_for_backward,
    layers_of,
    training_peak,
)
from course_utils.arithmetic import Conv, Dense, Pool, trace

IMAGE = (3, 224, 224)
FAMOUS = ("alexnet", "vgg11", "vgg13", "vgg16", "vgg19")


def famous(name):
    with torch.device("meta"):
        return getattr(models, name)()


def table_of(name):
    network = famous(name)
    return network, trace(IMAGE, layers_of(network, IMAGE))


@pytest.mark.parametrize("name", FAMOUS)
def test_every_line_of_a_famous_table_is_torchs(name):
    network, rows = table_of(name)
    seen = []
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.MaxPool2d | nn.Linear):
            module.register_forward_hook(
                lambda module, _, result: seen.append(
                    (tuple(result.shape[1:]), sum(p.numel() for p in module.parameters()))
                )
            )
    with FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, *IMAGE, device="meta"))
    assert [(row.shape, row.parameters) for row in rows[1:]] == seen
    assert sum(row.parameters for row in rows) == sum(p.numel() for p in network.parameters())
    assert 2 * sum(row.macs for row in rows) == counter.get_total_flops()


def test_receptive_fields_are_the_published_ones():
    """google-research/receptive_field's table: AlexNet 195, VGG-16 212 with padding 90."""
    last = {
        name: [row for row in table_of(name)[1] if isinstance(row.layer, Pool)][-1]
        for name in ("alexnet", "vgg16")
    }
    assert last["alexnet"].receptive_field == (195, 195)
    vgg16 = last["vgg16"]
    assert (vgg16.receptive_field[0], vgg16.jump[0], vgg16.padding[0]) == (212, 32, 90)


def test_reads_settings_and_leaves_the_network_as_it_was():
    network = nn.Sequential(
        nn.Conv2d(3, 8, (3, 5), stride=(2, 1), padding=1, dilation=2, groups=1, bias=False),
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2, padding=1),
        nn.Dropout(),
        nn.Flatten(),
        nn.LazyLinear(4, bias=False),
    )
    network(torch.zeros(1, 3, 32, 32))
    assert layers_of(network, (3, 32, 32)) == [
        Conv(8, (3, 5), stride=(2, 1), padding=1, dilation=2, bias=False),
        Pool(3, stride=2, padding=1),
        Dense(4, bias=False),
    ]
    assert network.training
    assert not any(module._forward_hooks for module in network.modules())


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)], "Layer 1 .BatchNorm2d.* is none that"),
        ([nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(2)], "Layer 1 .AdaptiveAvgPool2d"),
        ([nn.Conv2d(3, 4, 3), nn.MaxPool2d(2, ceil_mode=True)], "Layer 1 .MaxPool2d"),
    ],
)
def test_what_the_arithmetic_does_not_know_is_named(layers, message):
    with pytest.raises(NotAChainError, match=message):
        layers_of(nn.Sequential(*layers), (3, 9, 9))


def test_a_network_that_branches_has_no_table():
    fire = models.squeezenet1_1().features[3]
    with pytest.raises(NotAChainError, match=r"Layer expand3x3 .* the network branches"):
        layers_of(fire, (64, 9, 9))


def test_the_blocks_of_vgg16_add_up_to_its_table():
    rows = table_of("vgg16")[1]
    for of in ("parameters", "macs", "activations"):
        sums = in_blocks(rows, of)
        assert list(sums) == [*(f"block {i}" for i in range(1, 6)), "dense"]
        assert sum(sums.values()) == sum(getattr(row, of) for row in rows[1:])
    assert in_blocks(rows, "parameters")["dense"] == 123_642_856


@pytest.mark.parametrize("name", ["vgg16", "resnet50", "squeezenet1_1"])
def test_the_cost_of_a_network_that_branches_is_torchs(name):
    network = famous(name).eval()
    parameters, macs = cost_of(network, IMAGE)
    with FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, *IMAGE, device="meta"))
    assert (parameters, 2 * macs) == (
        sum(p.numel() for p in network.parameters()),
        counter.get_total_flops(),
    )
    assert not any(module._forward_hooks for module in network.modules())


@pytest.mark.parametrize(
    "draw",
    [
        lambda alt: show_residual({"a block": ["conv", "norm"]}, alt=alt),
        lambda alt: show_histograms({"noise": torch.randn(99, requires_grad=True)}, alt=alt),
        lambda alt: show_pairs({"%": ([1.0, 2.0], [2.0, 1.0])}, ("one", "other"), alt=alt),
        lambda alt: show_memory({"one": {"weights": 1.0, "rest": 2.0}}, limit=2, alt=alt),
    ],
)
def test_a_figure_is_shown_with_its_alt_text(draw):
    InteractiveShell.instance()
    with capture_output() as captured:
        draw("what it shows, & why")
    assert 'alt="what it shows, &amp; why"' in captured.outputs[0].data["text/html"]
    with pytest.raises(ValueError, match="needs alt text"):
        draw(" ")


# What training keeps


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_what_is_kept_is_each_activation_once_and_each_maximums_place(device):
    with torch.device(device):
        network = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(8 * 5 * 5, 7),
        )
    image, convolved, pooled = 3 * 10 * 10, 8 * 10 * 10, 8 * 5 * 5
    expected = 4 * (image + convolved + pooled) + 8 * pooled  # int64 places; the logits aren't kept
    assert kept_for_backward(network, (3, 10, 10)) == expected


def test_the_lectures_estimate_is_what_torch_keeps():
    """4 bytes an activation and 8 a maximum; dropout's masks are left out."""
    for name in FAMOUS:
        network, rows = table_of(name)
        pooled = sum(row.activations for row in rows if isinstance(row.layer, Pool))
        estimate = 4 * sum(row.activations for row in rows) + 8 * pooled
        assert estimate == pytest.approx(kept_for_backward(network, IMAGE), rel=0.03), name


def test_the_peak_needs_a_gpu_and_says_so():
    with pytest.raises(ValueError, match=r"on cpu, .* move them and the network to a GPU"):
        training_peak(nn.Conv2d(3, 8, 3), torch.zeros(1, 3, 8, 8))


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_the_lectures_estimate_is_what_a_gpu_takes():
    network, rows = table_of("vgg16")
    weights = 4 * sum(row.parameters for row in rows)
    estimate = 3 * weights + 8 * kept_for_backward(network, IMAGE)
    images = torch.zeros(8, *IMAGE, device="cuda")
    assert training_peak(models.vgg16().cuda(), images) == pytest.approx(estimate, rel=0.25)


# The table in the page


def test_the_page_has_every_line_and_the_totals():
    InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
    try:
        with capture_output() as captured:
            show_table(table_of("vgg16")[1])
    finally:
        InteractiveShell.clear_instance()
    (output,) = captured.outputs
    lines = output.data["text/plain"].splitlines()
    assert len(lines) == 1 + 22 + 1
    assert lines[2] == "conv  64  3×3  1  1  224×224×64  1,792  86,704,128  3,211,264  3×3"
    assert lines[-1] == "total  138,357,544  15,470,264,320"
    page = output.data["text/html"]
    assert page.count('<th scope="col">') == 10
    assert page.count('<th scope="row">') == 23
    for line in lines:
        assert all(f">{cell}<" in page for cell in line.split("  "))
