# ---
# about: "Asks for a gradient that is a convolution: batch and channels change places."
# blind: true
# fails:
#   test_conv2d_channels: "does a step of yours (convolution)"
#   test_conv2d_settings: "does a step of yours (convolution)"
# ---

# %% solution="conv2d"
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    """The convolution of x (N, C, H, W) with weight (F, C, k_h, k_w), plus bias (F,)."""
    k_h, k_w = weight.shape[2:]
    rows = output_size(x.shape[2], k_h, stride, padding, dilation)
    columns = output_size(x.shape[3], k_w, stride, padding, dilation)
    high, wide = (
        (rows - 1) * stride + dilation * (k_h - 1) + 1,
        (columns - 1) * stride + dilation * (k_w - 1) + 1,
    )
    x = F.pad(x, (padding,) * 4)[:, :, :high, :wide]
    out = torch.nn.grad.conv2d_weight(
        x.movedim(1, 0),
        (weight.shape[0], x.shape[0], rows, columns),
        weight.transpose(0, 1),
        stride=dilation,
        dilation=stride,
    ).movedim(1, 0)
    return out if bias is None else out + bias[:, None, None]
