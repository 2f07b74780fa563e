# ---
# about: Lets PyTorch convolve.
# blind: true
# fails:
#   test_conv2d_channels: "does a step of yours (convolution)"
#   test_conv2d_settings: "does a step of yours (convolution)"
# ---

# %% solution="conv2d"
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    return F.conv2d(x, weight, bias, stride, padding, dilation)
