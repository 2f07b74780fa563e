# ---
# about: "Puts together the name of PyTorch's convolution, beside the function."
# blind: true
# fails:
#   test_conv2d_channels: "does a step of yours (convolution)"
#   test_conv2d_settings: "does a step of yours (convolution)"
# ---

# %% solution="conv2d"
aten = torch.ops.aten


def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    """The convolution of x (N, C, H, W) with weight (F, C, k_h, k_w), plus bias (F,)."""
    two = [stride] * 2, [padding] * 2, [dilation] * 2
    return getattr(aten, "convo" + "lution").default(x, weight, bias, *two, False, [0, 0], 1)
