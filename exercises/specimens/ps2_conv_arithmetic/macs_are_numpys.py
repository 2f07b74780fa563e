# ---
# about: Multiplies with numpy, which gives its own kind of integer.
# blind: true
# fails:
#   test_conv_macs: expected a Python int
# ---

# %% solution="conv_macs"
def conv_macs(in_shape, filters, kernel, stride=1, padding=0, dilation=1):
    sizes = [
        output_size(i, k, stride, padding, dilation)
        for i, k in zip(in_shape[1:], kernel, strict=True)
    ]
    return filters * np.prod(sizes) * in_shape[0] * np.prod(kernel)
