"""The explorer's Python side; its browser side is tests/browser/test_lecture02.py."""

from __future__ import annotations

import pytest
import traitlets

from course_utils.arithmetic import Conv, trace
from course_utils.interactives import ConvolutionExplorer
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
