# ---
# about: Computes the output without padding and dilation.
# blind: true
# fails:
#   test_conv_macs: Stride, padding and dilation decide how many places there are
# ---

# %% solution="conv_macs"
def conv_macs(in_shape, filters, kernel, stride=1, padding=0, dilation=1):
    sizes = [output_size(i, k, stride) for i, k in zip(in_shape[1:], kernel, strict=True)]
    return filters * math.prod(sizes) * in_shape[0] * math.prod(kernel)
