# ---
# about: Lets PyTorch convolve.
# blind: true
# fails:
#   test_conv2d_channels: conv2d uses conv2d
#   test_conv2d_settings: conv2d uses conv2d
# ---

# %% solution="conv2d"
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    return F.conv2d(x, weight, bias, stride, padding, dilation)
