"""The convolution explorer: a window moves over its input, and the arithmetic follows."""

from __future__ import annotations

import anywidget
import traitlets

from course_utils.arithmetic import Conv
from course_utils.interactives.parts import script, style

# The smallest and the largest setting that can be chosen: what can still be drawn readably.
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
    """A square convolution to play with; every setting can be read and set from Python.

    Everything that it shows is computed in the browser (`convolution.js`, whose arithmetic the
    tests compare with `course_utils.arithmetic`), so it also works while the kernel is busy.

    Attributes:
        size, kernel, stride, padding, dilation: Of the convolution, the same along both axes.
        channels, filters: Channels of the input and of the output.
        row, column: The output unit whose window is shown.
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
        """The convolution as now set, for `course_utils.arithmetic.trace`."""
        return Conv(self.filters, self.kernel, self.stride, self.padding, self.dilation)
