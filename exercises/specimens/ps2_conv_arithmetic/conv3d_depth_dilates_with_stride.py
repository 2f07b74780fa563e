# ---
# about: "Dilates along the depth only if there is a stride, too."
# fails:
#   test_conv3d: stride 1, padding 1, dilation 2
# ---

# %% solution="conv3d"
def conv3d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    windows = F.pad(x, (padding,) * 6)
    deep = dilation if stride > 1 else 1
    for axis, (k, d) in enumerate(
        zip(weight.shape[2:], (deep, dilation, dilation), strict=True), start=2
    ):
        windows = windows.unfold(axis, d * (k - 1) + 1, stride)[..., ::d]
    y = torch.einsum("ncdhwijk,fcijk->nfdhw", windows, weight)
    return y if bias is None else y + bias.reshape(-1, 1, 1, 1)
