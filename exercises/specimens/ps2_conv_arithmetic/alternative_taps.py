# ---
# about: Loops over the taps of the kernel and adds shifted pictures; no loop over places.
# ---

# %% solution="conv2d"
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    rows = output_size(x.shape[2], weight.shape[2], stride, padding, dilation)
    columns = output_size(x.shape[3], weight.shape[3], stride, padding, dilation)
    x = F.pad(x, [padding] * 4)
    y = 0 if bias is None else bias.reshape(-1, 1, 1)
    for a in range(weight.shape[2]):
        for b in range(weight.shape[3]):
            shifted = x[:, :, a * dilation :: stride, b * dilation :: stride]
            shifted = shifted[:, :, :rows, :columns]
            y = y + torch.tensordot(shifted, weight[:, :, a, b], dims=([1], [1])).movedim(-1, 1)
    return y


# %% solution="conv3d"
def conv3d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    x = F.pad(x, (0, 0, 0, 0, padding, padding))
    settings = {"stride": stride, "padding": padding, "dilation": dilation}
    slices = []
    for s in range(output_size(x.shape[2], weight.shape[2], stride, 0, dilation)):
        first = s * stride
        parts = [
            conv2d(x[:, :, first + t * dilation], weight[:, :, t], **settings)
            for t in range(weight.shape[2])
        ]
        slices.append(sum(parts))
    y = torch.stack(slices, dim=2)
    return y if bias is None else y + bias.reshape(1, -1, 1, 1, 1)
