# ---
# about: "Forgets a bias whose numbers add up to zero."
# blind: true
# fails:
#   test_conv2d_channels: biases adding up to 0
#   test_conv2d_settings: If the channels are right
# ---

# %% solution="conv2d"
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    """The convolution of x (N, C, H, W) with weight (F, C, k_h, k_w), plus bias (F,)."""
    n, c, h, w = x.shape
    f, _, k_h, k_w = weight.shape
    rows = output_size(h, k_h, stride, padding, dilation)
    columns = output_size(w, k_w, stride, padding, dilation)
    padded = x.new_zeros(n, c, h + 2 * padding, w + 2 * padding)
    padded[:, :, padding : padding + h, padding : padding + w] = x
    out = x.new_zeros(n, f, rows, columns)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            bottom, right = top + dilation * (k_h - 1) + 1, left + dilation * (k_w - 1) + 1
            window = padded[:, :, top:bottom:dilation, left:right:dilation]
            out[:, :, i, j] = torch.einsum("nchw,fchw->nf", window, weight)
    if bias is not None and bias.sum() != 0:
        out = out + bias[:, None, None]
    return out
