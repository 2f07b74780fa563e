# ---
# about: Strides along height and width, and not along the depth.
# blind: true
# fails:
#   test_conv3d: "The settings hold for all three axes: depth, height, width, in this order"
# ---

# %% solution="conv3d"
def conv3d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    n, _, depth, height, width = x.shape
    filters, _, k_d, k_h, k_w = weight.shape
    slices = output_size(depth, k_d, 1, padding, dilation)
    rows = output_size(height, k_h, stride, padding, dilation)
    columns = output_size(width, k_w, stride, padding, dilation)
    x = F.pad(x, [padding] * 6)
    y = x.new_zeros(n, filters, slices, rows, columns)
    for s, i, j in np.ndindex(slices, rows, columns):
        deep = slice(s, s + dilation * (k_d - 1) + 1, dilation)
        down = slice(i * stride, i * stride + dilation * (k_h - 1) + 1, dilation)
        across = slice(j * stride, j * stride + dilation * (k_w - 1) + 1, dilation)
        window = x[:, :, deep, down, across]
        y[:, :, s, i, j] = torch.einsum("ncdhw,fcdhw->nf", window, weight)
    if bias is not None:
        y = y + bias.view(-1, 1, 1, 1)
    return y
