# ---
# about: "The result has the default dtype, whatever the volume has."
# blind: true
# fails:
#   test_conv3d: to eleven digits
# ---

# %% solution="conv3d"
def conv3d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    """The convolution of x (N, C, D, H, W) with weight (F, C, k_d, k_h, k_w), plus bias (F,)."""
    n, _, d, h, w = x.shape
    f, _, k_d, k_h, k_w = weight.shape
    slices = output_size(d, k_d, stride, padding, dilation)
    rows = output_size(h, k_h, stride, padding, dilation)
    columns = output_size(w, k_w, stride, padding, dilation)
    padded = F.pad(x, (padding,) * 6)
    out = torch.zeros(n, f, slices, rows, columns)
    for s in range(slices):
        for i in range(rows):
            for j in range(columns):
                front, top, left = s * stride, i * stride, j * stride
                window = padded[
                    :,
                    :,
                    front : front + dilation * (k_d - 1) + 1 : dilation,
                    top : top + dilation * (k_h - 1) + 1 : dilation,
                    left : left + dilation * (k_w - 1) + 1 : dilation,
                ]
                out[:, :, s, i, j] = torch.einsum("ncdhw,fcdhw->nf", window, weight)
    if bias is not None:
        out = out + bias[:, None, None, None]
    return out
