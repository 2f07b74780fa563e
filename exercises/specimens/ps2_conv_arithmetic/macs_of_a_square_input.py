# ---
# about: Takes the first axis for all of them.
# blind: true
# fails:
#   test_conv_macs: Every output number takes one multiply-add for each weight of its filter
# ---

# %% solution="conv_macs"
def conv_macs(in_shape, filters, kernel, stride=1, padding=0, dilation=1):
    places = output_size(in_shape[1], kernel[0], stride, padding, dilation) ** len(kernel)
    return filters * places * in_shape[0] * math.prod(kernel)
