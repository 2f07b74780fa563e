# ---
# about: "It keeps one output for each shape, and fills it again at the next call."
# fails:
#   test_conv2d_channels: Give back a new tensor each time
#   test_conv2d_settings: Give back a new tensor each time
# ---

# %% solution="conv2d"
outputs = {}


def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    n, _, height, width = x.shape
    filters, _, k_h, k_w = weight.shape
    rows = output_size(height, k_h, stride, padding, dilation)
    columns = output_size(width, k_w, stride, padding, dilation)
    padded = F.pad(x, (padding,) * 4)
    shape = (n, filters, rows, columns, x.dtype)
    if shape not in outputs:
        outputs[shape] = x.new_zeros(n, filters, rows, columns)
    y = outputs[shape]
    for i in range(rows):
        for j in range(columns):
            down = slice(i * stride, i * stride + dilation * (k_h - 1) + 1, dilation)
            across = slice(j * stride, j * stride + dilation * (k_w - 1) + 1, dilation)
            y[:, :, i, j] = torch.einsum("nchw,fchw->nf", padded[:, :, down, across], weight)
    if bias is not None:
        y += bias[:, None, None]
    return y
