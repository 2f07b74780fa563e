# ---
# about: Adds the padding at one end only.
# blind: true
# fails:
#   test_output_size: Padding is added at both ends
#   test_output_size_refuses: say how far the window reaches (9)
#   test_conv2d_settings: Put `padding` zeros at all four sides, and the picture in the middle
#   test_conv3d: "The settings hold for all three axes: depth, height, width, in this order"
#   test_conv_macs: Stride, padding and dilation decide how many places there are
# ---

# %% solution="output_size"
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    if min(size, kernel, stride, dilation) < 1 or padding < 0:
        raise ValueError("size, kernel, stride and dilation must be 1 or more, padding 0 or more")
    reach, padded = dilation * (kernel - 1) + 1, size + padding
    if padded < reach:
        raise ValueError(f"a window over {reach} positions doesn't fit into {padded}")
    return (padded - reach) // stride + 1
