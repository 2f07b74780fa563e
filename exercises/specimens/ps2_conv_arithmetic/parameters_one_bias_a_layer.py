# ---
# about: Counts one bias for the whole layer.
# blind: true
# fails:
#   test_conv_parameters: a bias of its own
# ---

# %% solution="conv_parameters"
def conv_parameters(in_channels, filters, kernel, bias=True):
    return in_channels * filters * math.prod(kernel) + int(bias)
