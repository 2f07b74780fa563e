# ---
# about: Compares the kernel with the row before it is padded.
# blind: true
# fails:
#   test_output_size: doesn't fit into
#   test_output_size_refuses: expected a ValueError, got the result 0
# ---

# %% solution="output_size"
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    if min(size, kernel, stride, dilation) < 1 or padding < 0:
        raise ValueError("size, kernel, stride and dilation must be 1 or more, padding 0 or more")
    if kernel > size:
        raise ValueError(f"a kernel of {kernel} doesn't fit into {size} positions")
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
