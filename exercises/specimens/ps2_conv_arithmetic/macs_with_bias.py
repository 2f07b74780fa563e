# ---
# about: Counts adding the bias as a multiply-add.
# blind: true
# fails:
#   test_conv_macs: Adding the bias isn't counted
# ---

# %% solution="conv_macs"
def conv_macs(in_shape, filters, kernel, stride=1, padding=0, dilation=1):
    places = 1
    for size, k in zip(in_shape[1:], kernel, strict=True):
        places *= output_size(size, k, stride, padding, dilation)
    return places * conv_parameters(in_shape[0], filters, kernel)
