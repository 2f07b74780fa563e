"""Interactive figures: they compute in the browser, so a drag never waits for the kernel."""

from course_utils.interactives.architecture import ArchitectureTracer
from course_utils.interactives.augmentation import AugmentationExplorer
from course_utils.interactives.backpropagation import BackpropagationGraph
from course_utils.interactives.convolution import ConvolutionExplorer
from course_utils.interactives.features import FeatureExplorer
from course_utils.interactives.pixels import PixelExplorer
from course_utils.interactives.products import ConvolutionStepper

__all__ = [
    "ArchitectureTracer",
    "AugmentationExplorer",
    "BackpropagationGraph",
    "ConvolutionExplorer",
    "ConvolutionStepper",
    "FeatureExplorer",
    "PixelExplorer",
]
