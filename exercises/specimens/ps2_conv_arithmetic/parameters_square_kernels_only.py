# ---
# about: Squares the first side of the kernel.
# blind: true
# fails:
#   test_conv_parameters: A filter has 3 · 5 · 2 weights
# ---

# %% solution="conv_parameters"
def conv_parameters(in_channels, filters, kernel, bias=True):
    taps = kernel[0] ** len(kernel)
    return filters * (taps * in_channels + (1 if bias else 0))
