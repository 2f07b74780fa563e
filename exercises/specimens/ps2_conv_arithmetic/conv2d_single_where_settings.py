# ---
# about: "Computes in float32 as soon as there is a stride."
# fails:
#   test_conv2d_settings: to eleven digits
# ---

# %% solution="conv2d"
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    n, _, height, width = x.shape
    filters, _, k_h, k_w = weight.shape
    rows = output_size(height, k_h, stride, padding, dilation)
    columns = output_size(width, k_w, stride, padding, dilation)
    padded = F.pad(x, (padding,) * 4)
    y = x.new_zeros(n, filters, rows, columns)
    if stride > 1:
        padded, weight = padded.float(), weight.float()
    for i in range(rows):
        for j in range(columns):
            down = slice(i * stride, i * stride + dilation * (k_h - 1) + 1, dilation)
            across = slice(j * stride, j * stride + dilation * (k_w - 1) + 1, dilation)
            y[:, :, i, j] = torch.einsum("nchw,fchw->nf", padded[:, :, down, across], weight)
    return y if bias is None else y + bias[:, None, None]
