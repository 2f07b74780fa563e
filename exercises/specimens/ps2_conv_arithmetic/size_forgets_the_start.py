# ---
# about: Counts the steps and forgets the place where it started.
# blind: true
# fails:
#   test_output_size: Places are steps plus one
#   test_output_size_refuses: It fits in one place
#   test_correlate2d: Multiply each pixel by the weight on top of it, and add up
#   test_conv2d_channels: A filter adds up over all channels
#   test_conv2d_settings: The window of output (i, j) begins
#   test_conv3d: The axes are depth, height, width, in this order
#   test_conv_macs: Every output number takes one multiply-add for each weight of its filter
# ---

# %% solution="output_size"
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    if min(size, kernel, stride, dilation) < 1 or padding < 0:
        raise ValueError("size, kernel, stride and dilation must be 1 or more, padding 0 or more")
    reach, padded = dilation * (kernel - 1) + 1, size + 2 * padding
    if padded < reach:
        raise ValueError(f"a window over {reach} positions doesn't fit into {padded}")
    return (padded - reach) // stride
