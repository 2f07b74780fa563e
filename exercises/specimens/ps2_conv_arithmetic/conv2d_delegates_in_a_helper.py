# ---
# about: Hides PyTorch's convolution in a helper, which the look at conv2d's own source doesn't see.
# fails:
#   test_conv2d_channels: "does a step of yours (convolution)"
#   test_conv2d_settings: "does a step of yours (convolution)"
# ---

# %% solution="conv2d"
def by_pytorch(x, weight, bias, *settings):
    return F.conv2d(x, weight, bias, *settings)


def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    return by_pytorch(x, weight, bias, stride, padding, dilation)
