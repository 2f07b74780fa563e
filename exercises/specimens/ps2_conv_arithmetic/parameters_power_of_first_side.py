# ---
# about: "It takes the kernel for a square or cube, as a power of its first number."
# blind: true
# fails:
#   test_conv_parameters: A filter has 3 · 5 · 2 weights
# ---

# %% solution="conv_parameters"
def conv_parameters(in_channels, filters, kernel, bias=True):
    """How many weights and biases a convolution has (int); kernel has one number an axis."""
    weights = in_channels * kernel[0] ** len(kernel)
    return filters * (weights + 1 if bias else weights)
