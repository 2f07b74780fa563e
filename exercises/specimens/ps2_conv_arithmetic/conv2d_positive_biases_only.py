# ---
# about: "Adds the bias only if some of it is above 0."
# fails:
#   test_conv2d_channels: negative biases
#   test_conv2d_settings: negative biases
# ---

# %% solution="conv2d"
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    n, _, height, width = x.shape
    filters, _, k_h, k_w = weight.shape
    rows = output_size(height, k_h, stride, padding, dilation)
    columns = output_size(width, k_w, stride, padding, dilation)
    padded = F.pad(x, (padding,) * 4)
    y = x.new_zeros(n, filters, rows, columns)
    for i in range(rows):
        for j in range(columns):
            down = slice(i * stride, i * stride + dilation * (k_h - 1) + 1, dilation)
            across = slice(j * stride, j * stride + dilation * (k_w - 1) + 1, dilation)
            y[:, :, i, j] = torch.einsum("nchw,fchw->nf", padded[:, :, down, across], weight)
    if bias is not None and bias.max() > 0:
        y = y + bias[:, None, None]
    return y
