# ---
# about: "Refuses a window that fits in exactly one place: >= for >."
# blind: true
# fails:
#   test_output_size: doesn't fit into
#   test_output_size_refuses: a window that just fits
#   test_correlate2d: doesn't fit into
#   test_conv2d_channels: doesn't fit into
#   test_conv2d_settings: doesn't fit into
# ---

# %% solution="output_size"
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    if min(size, kernel, stride, dilation) < 1 or padding < 0:
        raise ValueError("size, kernel, stride and dilation must be 1 or more, padding 0 or more")
    reach, padded = dilation * (kernel - 1) + 1, size + 2 * padding
    if reach >= padded:
        raise ValueError(f"a window over {reach} positions doesn't fit into {padded}")
    return (padded - reach) // stride + 1
