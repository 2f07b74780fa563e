"""The feature explorer's Python side; its browser side is tests/browser/test_lecture04.py."""

from __future__ import annotations

import pytest
import torch

from course_utils.interactives import FeatureExplorer
from course_utils.models import LAYERS, preprocess, squeezenet

PICTURE = torch.arange(3 * 224 * 224).reshape(3, 224, 224).remainder(251).byte()


@pytest.fixture(scope="module")
def network():
    return squeezenet()


def test_the_maps_are_the_networks(network):
    explorer = FeatureExplorer(network, {"a": PICTURE}, layer="fire6", rank=3)
    with torch.no_grad():
        maps = network.features[: LAYERS["fire6"] + 1](preprocess(PICTURE))[0]
    kept = explorer._maps["a"]["fire6"]
    assert kept["channels"] == maps.mean((1, 2)).topk(24).indices.tolist()
    assert explorer.channel == kept["channels"][3]
    theirs = maps[explorer.channel]
    ours = torch.frombuffer(bytearray(kept["values"]), dtype=torch.uint8).reshape(24, 13, 13)[3]
    torch.testing.assert_close(ours / 255 * theirs.max(), theirs, atol=theirs.max() / 400, rtol=0)


@pytest.mark.parametrize("layer", ["conv1", "fire3", "fire5"])
def test_a_unit_sees_what_the_network_says(network, layer):
    explorer = FeatureExplorer(network, {"a": PICTURE})
    geometry = explorer._layers[layer]
    pixels = preprocess(PICTURE).requires_grad_()
    maps = network.features[: LAYERS[layer] + 1](pixels)
    middle = geometry["side"] // 2
    assert maps.shape[-1] == geometry["side"]
    maps[0, :, middle, middle].sum().backward()
    seen = pixels.grad[0].abs().sum((0, 1)).nonzero().flatten()
    start = geometry["start"] + middle * geometry["jump"]
    assert (seen.min().item(), seen.max().item()) == (start, start + geometry["sees"] - 1)


@pytest.mark.parametrize(
    ("pictures", "message"),
    [
        ({}, "at least one picture"),
        ({"a": PICTURE.float()}, "'a' must be uint8.*not torch.float32"),
        ({"a": PICTURE[:, :100]}, r"not torch.uint8 \[3, 100, 224\]: resize and crop it first"),
    ],
)
def test_refuses_what_it_cannot_show(network, pictures, message):
    with pytest.raises(ValueError, match=message):
        FeatureExplorer(network, pictures)


def test_readers_without_widgets_are_told_what_to_do(network):
    assert "run this cell in JupyterLab" in repr(FeatureExplorer(network, {"a": PICTURE}))
