# ---
# about: "It counts a multiply-add for each position in the window's reach, gaps included."
# blind: true
# fails:
#   test_conv_macs: Stride, padding and dilation
# ---

# %% solution="conv_macs"
def conv_macs(in_shape, filters, kernel, stride=1, padding=0, dilation=1):
    """Multiply-adds of a convolution for one example of shape (C, …), as an int."""
    channels, *sizes = in_shape
    reaches = [dilation * (k - 1) + 1 for k in kernel]
    places = [output_size(n, r, stride, padding) for n, r in zip(sizes, reaches, strict=True)]
    return channels * math.prod(reaches) * math.prod(places) * filters
