# ---
# about: "Divides by the stride as a float: large products lose their last digits."
# fails:
#   test_conv_macs: each a product for every weight
# ---

# %% solution="conv_macs"
def conv_macs(in_shape, filters, kernel, stride=1, padding=0, dilation=1):
    total = filters * in_shape[0] * 1.0
    for i, k in zip(in_shape[1:], kernel, strict=True):
        total *= k * math.floor((i + 2 * padding - dilation * (k - 1) - 1) / stride + 1)
    return int(total)
