# ---
# about: Puts all of the padding behind the picture and none in front of it.
# blind: true
# fails:
#   test_conv2d_settings: Put `padding` zeros at all four sides, and the picture in the middle
# ---

# %% solution="conv2d"
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    n, _, height, width = x.shape
    filters, _, k_h, k_w = weight.shape
    rows = output_size(height, k_h, stride, padding, dilation)
    columns = output_size(width, k_w, stride, padding, dilation)
    padded = F.pad(x, (0, 2 * padding, 0, 2 * padding))
    y = x.new_zeros(n, filters, rows, columns)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            window = padded[
                :,
                :,
                top : top + dilation * (k_h - 1) + 1 : dilation,
                left : left + dilation * (k_w - 1) + 1 : dilation,
            ]
            for f in range(filters):
                y[:, f, i, j] = (window * weight[f]).sum(dim=(1, 2, 3))
    if bias is not None:
        y += bias.view(1, -1, 1, 1)
    return y
