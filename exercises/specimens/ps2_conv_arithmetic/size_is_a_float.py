# ---
# about: Divides with /, so that sizes are floats and may have a fraction.
# blind: true
# fails:
#   test_output_size: expected a Python int
#   test_output_size_refuses: expected a Python int
#   test_correlate2d: new_zeros()
#   test_conv2d_channels: new_zeros()
#   test_conv2d_settings: new_zeros()
#   test_conv3d: new_zeros()
#   test_conv_macs: expected a Python int
# ---

# %% solution="output_size"
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    if min(size, kernel, stride, dilation) < 1 or padding < 0:
        raise ValueError("size, kernel, stride and dilation must be 1 or more, padding 0 or more")
    reach, padded = dilation * (kernel - 1) + 1, size + 2 * padding
    if padded < reach:
        raise ValueError(f"a window over {reach} positions doesn't fit into {padded}")
    return (padded - reach) / stride + 1
