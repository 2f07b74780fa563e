"""The Python side of the explorers of lectures 2 and 3; tests/browser has their browser side."""

from __future__ import annotations

import pytest
import torch
import traitlets

from course_utils.arithmetic import Conv, Dense, trace
from course_utils.interactives import ArchitectureTracer, ConvolutionExplorer
from course_utils.interactives.convolution import LIMITS


def test_python_reads_the_settings_as_a_layer():
    explorer = ConvolutionExplorer(size=9, kernel=3, stride=2, padding=1, channels=4, filters=6)
    assert explorer.conv == Conv(6, 3, stride=2, padding=1, dilation=1)
    assert trace((explorer.channels, 9, 9), [explorer.conv])[1].shape == (6, 5, 5)


@pytest.mark.parametrize("name", LIMITS)
def test_a_setting_out_of_range_is_refused_by_name(name):
    for wrong in (LIMITS[name][0] - 1, LIMITS[name][1] + 1):
        with pytest.raises(traitlets.TraitError, match=f"'{name}' trait"):
            ConvolutionExplorer(**{name: wrong})


def test_readers_without_widgets_are_told_what_to_do():
    assert "run this cell in JupyterLab" in repr(ConvolutionExplorer())


def test_its_files_are_there_and_ask_for_nothing_from_the_network():
    explorer = ConvolutionExplorer()
    for text in (str(explorer._esm), str(explorer._css)):
        assert len(text) > 1000
        assert "http" not in text


# The architecture tracer

ROWS = trace((3, 9, 9), [Conv(4, 3, stride=2), Dense(5)])
PICTURE = torch.zeros(3, 16, 16, dtype=torch.uint8)


def test_the_tracer_sends_what_the_table_says():
    tracer = ArchitectureTracer({"small": ROWS}, PICTURE, layer=1)
    assert (tracer.network, tracer.layer, tracer.row, tracer.column) == ("small", 1, 8, 8)
    shown = ("kind", "size", "channels", "parameters", "macs", "activations", "sees", "jump")
    assert [[row[name] for name in shown] for row in tracer._networks["small"]] == [
        ["input", 9, 3, 0, 0, 243, 1, 1],
        ["conv", 4, 4, 112, 1728, 64, 3, 2],
        ["dense", 1, 5, 325, 320, 5, 9, 2],
    ]
    assert "run this cell in JupyterLab" in repr(tracer)
    assert all("http" not in str(text) for text in (tracer._esm, tracer._css))


@pytest.mark.parametrize(
    ("networks", "picture", "message"),
    [
        ({}, PICTURE, "at least one network"),
        ({"wide": trace((3, 9, 8), [])}, PICTURE, "'wide' takes inputs of shape .3, 9, 8."),
        ({"small": ROWS}, PICTURE / 255, "must be uint8"),
        ({"small": ROWS}, PICTURE[:, :8], "must be uint8 .3, S, S., not .* .3, 8, 16.: crop it"),
    ],
)
def test_the_tracer_refuses_what_it_cannot_draw(networks, picture, message):
    with pytest.raises(ValueError, match=message):
        ArchitectureTracer(networks, picture)
