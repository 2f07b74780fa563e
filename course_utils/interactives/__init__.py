"""Interactive figures: they compute in the browser, so a drag never waits for the kernel."""

from course_utils.interactives.convolution import ConvolutionExplorer

__all__ = ["ConvolutionExplorer"]
