# ---
# about: "Counts a last step that leaves the row: ceil in place of floor."
# blind: true
# fails:
#   test_output_size: A step that leaves the row isn't made
#   test_conv2d_settings: The window of output (i, j) begins
#   test_conv3d: does not broadcast
#   test_conv_macs: Stride, padding and dilation decide how many places there are
# ---

# %% solution="output_size"
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    for name, value in (
        ("size", size),
        ("kernel", kernel),
        ("stride", stride),
        ("dilation", dilation),
    ):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    if padding < 0:
        raise ValueError(f"padding must be at least 0, got {padding}")
    reach = dilation * (kernel - 1) + 1
    if reach > size + 2 * padding:
        raise ValueError(f"reach {reach} is more than {size + 2 * padding}")
    return math.ceil((size + 2 * padding - reach) / stride) + 1
