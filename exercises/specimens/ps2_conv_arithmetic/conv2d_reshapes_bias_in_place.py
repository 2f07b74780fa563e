# ---
# about: "Gives the caller's bias two more axes with unsqueeze_, in place."
# blind: true
# fails:
#   test_conv2d_channels: an input was changed
#   test_conv2d_settings: an input was changed
# ---

# %% solution="conv2d"
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    """The convolution of x (N, C, H, W) with weight (F, C, k_h, k_w), plus bias (F,)."""
    n, _, height, width = x.shape
    filters, _, k_h, k_w = weight.shape
    rows = output_size(height, k_h, stride, padding, dilation)
    columns = output_size(width, k_w, stride, padding, dilation)
    padded = x.new_zeros(*x.shape[:2], height + 2 * padding, width + 2 * padding)
    padded[:, :, padding : padding + height, padding : padding + width] = x
    reach_h, reach_w = dilation * (k_h - 1) + 1, dilation * (k_w - 1) + 1
    result = x.new_zeros(n, filters, rows, columns)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            window = padded[:, :, top : top + reach_h : dilation, left : left + reach_w : dilation]
            result[:, :, i, j] = torch.einsum("nchw,fchw->nf", window, weight)
    if bias is not None:
        result += bias.unsqueeze_(1).unsqueeze_(2)
    return result
