# ---
# about: "Lets torch._convolution convolve."
# blind: true
# fails:
#   test_conv2d_channels: "does a step of yours (convolution)"
#   test_conv2d_settings: "does a step of yours (convolution)"
# ---

# %% solution="conv2d"
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    """The convolution of x (N, C, H, W) with weight (F, C, k_h, k_w), plus bias (F,)."""
    two = [0, 0]
    return torch._convolution(
        x,
        weight,
        bias,
        [stride] * 2,
        [padding] * 2,
        [dilation] * 2,
        False,
        two,
        1,
        False,
        False,
        False,
        False,
    )
