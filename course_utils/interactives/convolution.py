"""The convolution explorer: a window moves over its input, and the arithmetic follows."""

from __future__ import annotations

import anywidget
import traitlets

from course_utils.arithmetic import Conv
from course_utils.interactives.parts import script, style

# The smallest and the largest value of each setting. Larger drawings could not be read.
LIMITS = {
    "size": (1, 24),
    "kernel": (1, 11),
    "stride": (1, 5),
    "padding": (0, 5),
    "dilation": (1, 4),
    "channels": (1, 512),
    "filters": (1, 512),
}


def _setting(name: str, default: int) -> traitlets.Int:
    least, most = LIMITS[name]
    return traitlets.Int(default, min=least, max=most).tag(sync=True)


class ConvolutionExplorer(anywidget.AnyWidget):
    """A square convolution to play with. Every setting can be read and set from Python.

    The browser computes all numbers (`convolution.js`), so the figure also works while the kernel
    is busy. The tests compare its arithmetic with `course_utils.arithmetic`.

    Attributes:
        size: the input's size; like the next four settings, it is the same along both axes.
        kernel: the window's size.
        stride: how far the window moves at each step.
        padding: how many zeros are added at each end of an axis.
        dilation: the distance between neighbouring taps of the window.
        channels: the channels of the input.
        filters: the channels of the output.
        row, column: the output unit whose window is shown.
    """

    _esm = script("convolution")
    _css = style("convolution")

    size = _setting("size", 7)
    kernel = _setting("kernel", 3)
    stride = _setting("stride", 1)
    padding = _setting("padding", 0)
    dilation = _setting("dilation", 1)
    channels = _setting("channels", 3)
    filters = _setting("filters", 8)
    row = traitlets.Int(0, min=0).tag(sync=True)
    column = traitlets.Int(0, min=0).tag(sync=True)
    _limits = traitlets.Dict(default_value=LIMITS).tag(sync=True)

    def __repr__(self) -> str:
        return "Convolution explorer: run this cell in JupyterLab to play with it."

    @property
    def conv(self) -> Conv:
        """The convolution with the present settings, for `course_utils.arithmetic.trace`."""
        return Conv(self.filters, self.kernel, self.stride, self.padding, self.dilation)
