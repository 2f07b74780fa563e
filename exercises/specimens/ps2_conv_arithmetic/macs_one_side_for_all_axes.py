# ---
# about: "It computes the places of every axis with the kernel's first number."
# blind: true
# fails:
#   test_conv_macs: Stride, padding and dilation
# ---

# %% solution="conv_macs"
def conv_macs(in_shape, filters, kernel, stride=1, padding=0, dilation=1):
    """Multiply-adds of a convolution for one example of shape (C, …), as an int."""
    channels, *sizes = in_shape
    outputs = filters
    for size in sizes:
        outputs *= output_size(size, kernel[0], stride, padding, dilation)
    return outputs * conv_parameters(channels, 1, kernel, bias=False)
