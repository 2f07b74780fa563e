# ---
# about: "Divides the size by the stride, if the stride is large."
# blind: true
# fails:
#   test_conv_macs: "Stride, padding and dilation"
# ---

# %% solution="conv_macs"
def conv_macs(in_shape, filters, kernel, stride=1, padding=0, dilation=1):
    """Multiply-adds of a convolution for one example of shape (C, …), as an int."""
    channels, *sizes = in_shape
    places = [
        output_size(s, k, stride, padding, dilation) for s, k in zip(sizes, kernel, strict=True)
    ]
    if stride > 4:
        places = [-(-s // stride) for s in sizes]
    return math.prod(places) * filters * channels * math.prod(kernel)
