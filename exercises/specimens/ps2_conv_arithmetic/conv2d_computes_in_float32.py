# ---
# about: "It computes in float32 and goes back to the dtype, so float64 loses digits."
# blind: true
# fails:
#   test_conv2d_channels: to eleven digits
#   test_conv2d_settings: to eleven digits
# ---

# %% solution="conv2d"
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    """The convolution of x (N, C, H, W) with weight (F, C, k_h, k_w), plus bias (F,)."""
    dtype = x.dtype
    x, weight = x.float(), weight.float()
    n, _, height, width = x.shape
    filters, _, k_h, k_w = weight.shape
    rows = output_size(height, k_h, stride, padding, dilation)
    columns = output_size(width, k_w, stride, padding, dilation)
    padded = F.pad(x, (padding,) * 4)
    reach_h, reach_w = dilation * (k_h - 1) + 1, dilation * (k_w - 1) + 1
    result = x.new_zeros(n, filters, rows, columns)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            window = padded[:, :, top : top + reach_h : dilation, left : left + reach_w : dilation]
            result[:, :, i, j] = torch.einsum("nchw,fchw->nf", window, weight)
    if bias is not None:
        result = result + bias.float().reshape(1, -1, 1, 1)
    return result.to(dtype)
