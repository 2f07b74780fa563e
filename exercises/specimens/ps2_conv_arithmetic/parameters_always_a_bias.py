# ---
# about: Counts the biases of a layer that has none.
# blind: true
# fails:
#   test_conv_parameters: a bias of its own
# ---

# %% solution="conv_parameters"
def conv_parameters(in_channels, filters, kernel, bias=True):
    return filters * (math.prod(kernel) * in_channels + 1)
