"""Training on few pictures does what its names promise."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch.nn import functional as F

from course_utils.models import LAYERS, preprocess, squeezenet, swap_head
from course_utils.textures import grain
from course_utils.training import (
    accuracy,
    discriminative_rates,
    fit,
    layer_means,
    logistic_regression,
    small_cnn,
)

PICTURES = torch.arange(4 * 3 * 64 * 64).reshape(4, 3, 64, 64).remainder(251).byte()


def test_layer_means_are_those_of_a_network_cut_there():
    network = squeezenet()
    means = layer_means(network, PICTURES, size=64)
    assert list(means) == list(LAYERS)
    with torch.no_grad():
        maps = network.features(preprocess(PICTURES, 64))
    torch.testing.assert_close(means["fire9"], maps.mean((2, 3)))
    assert means["conv1"].shape == (4, 64)


def test_logistic_regression_is_where_the_loss_is_least():
    torch.manual_seed(0)
    features, labels = 5 + 3 * torch.randn(60, 7), torch.arange(60) % 3
    head = logistic_regression(features, labels)
    mean, std = features.mean(0), features.std(0)
    weight = (head.weight * std).detach().requires_grad_()
    bias = (head.bias + head.weight @ mean).detach()
    logits = F.linear((features - mean) / std, weight, bias)
    loss = F.cross_entropy(logits, labels) + 0.1 * weight.square().sum()
    (gradient,) = torch.autograd.grad(loss, weight)
    assert gradient.abs().max() < 1e-3
    again = logistic_regression(features, labels)
    assert torch.equal(head.weight, again.weight)


def test_fit_learns_and_a_seed_decides_everything():
    images, labels = grain(per_class=6, seed=0)
    inputs, labels = images[labels % 5 == 0].float() / 64 - 2, labels[labels % 5 == 0] // 5

    def train():
        torch.manual_seed(3)
        return fit(small_cnn(classes=2, width=4), inputs, labels, rates=1e-2, steps=30, shift=2)

    model = train()
    assert not model.training
    assert accuracy(model, inputs, labels) > 90
    assert torch.equal(model(inputs), train()(inputs))


def test_what_no_group_names_stays_as_it_is():
    torch.manual_seed(0)
    model = swap_head(squeezenet(), classes=2)
    before = model.features[0].weight.clone()
    groups = [{"params": list(model.classifier.parameters()), "lr": 1e-2}]
    old_head = model.classifier[1].weight.clone()
    fit(model, torch.randn(4, 3, 64, 64), torch.tensor([0, 1, 0, 1]), groups, steps=2)
    assert torch.equal(model.features[0].weight, before)
    assert not torch.equal(model.classifier[1].weight, old_head)


def test_earlier_layers_learn_slower():
    model = squeezenet()
    groups = discriminative_rates(model, head=1e-2, body=1e-3, factor=0.5)
    rates = [group["lr"] for group in groups]
    assert rates == pytest.approx([1e-2, *(1e-3 * 0.5**i for i in range(9))])
    assert groups[-1]["params"][0] is model.features[0].weight
    assert sum(p.numel() for group in groups for p in group["params"]) == 1_235_496


def test_grain_gets_coarser_by_a_fixed_factor():
    images, labels = grain(per_class=8, seed=1)
    assert images.shape == (48, 3, 64, 64)
    assert images.dtype == torch.uint8
    assert torch.equal(images[:, 0], images[:, 2])
    assert torch.equal(images, grain(per_class=8, seed=1)[0])
    spectrum = torch.fft.fft2(images[:, 0].float() - 128).abs().square()
    axis = torch.fft.fftfreq(64)
    frequency = (axis[:, None].square() + axis[None, :].square()).sqrt()
    center = (spectrum * frequency).sum((1, 2)) / spectrum.sum((1, 2))
    by_grade = [center[labels == grade].mean().item() for grade in range(6)]
    ratios = [fine / coarse for fine, coarse in pairwise(by_grade)]
    assert ratios == pytest.approx([1.06] * 5, abs=0.03)
