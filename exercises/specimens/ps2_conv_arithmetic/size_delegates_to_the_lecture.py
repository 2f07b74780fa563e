# ---
# about: Takes output_size from the lecture's own module, under another name.
# needs_isolation: true
# fails:
#   test_output_size: "'output_size' is not defined"
#   test_output_size_refuses: "'output_size' is not defined"
#   test_correlate2d: "'output_size' is not defined"
#   test_conv2d_channels: "'output_size' is not defined"
#   test_conv2d_settings: "'output_size' is not defined"
#   test_conv3d: "'output_size' is not defined"
#   test_conv_macs: "'output_size' is not defined"
# ---

# %% solution="output_size"
from course_utils.arithmetic import output_size as size_of_the_lecture


def output_size(size, kernel, stride=1, padding=0, dilation=1):
    return size_of_the_lecture(size, kernel, stride, padding, dilation)
