# ---
# about: numpy inside, tensors outside; the receptive field from the last layer to the first.
# ---

# %% solution="correlate2d"
def correlate2d(image, kernel):
    taps = kernel.cpu().numpy()
    windows = np.lib.stride_tricks.sliding_window_view(image.cpu().numpy(), taps.shape)
    return torch.from_numpy(np.einsum("ijab,ab->ij", windows, taps)).to(image)


# %% solution="conv2d"
def convolve_with_numpy(x, weight, bias, stride, padding, dilation):
    space = weight.dim() - 2
    padded = np.pad(x.cpu().numpy(), [(0, 0)] * 2 + [(padding, padding)] * space)
    axes = tuple(range(2, 2 + space))
    reach = [dilation * (k - 1) + 1 for k in weight.shape[2:]]
    windows = np.lib.stride_tricks.sliding_window_view(padded, reach, axes)
    step, tap = slice(None, None, stride), slice(None, None, dilation)
    windows = windows[(slice(None), slice(None), *[step] * space, *[tap] * space)]
    shared = [1, *range(2 + space, 2 + 2 * space)], [1, *axes]
    y = np.moveaxis(np.tensordot(windows, weight.cpu().numpy(), shared), -1, 1)
    if bias is not None:
        y = y + bias.cpu().numpy().reshape(-1, *[1] * space)
    return torch.tensor(np.ascontiguousarray(y)).to(x)


def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    return convolve_with_numpy(x, weight, bias, stride, padding, dilation)


# %% solution="conv3d"
def conv3d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    return convolve_with_numpy(x, weight, bias, stride, padding, dilation)


# %% solution="conv_macs"
def conv_macs(in_shape, filters, kernel, stride=1, padding=0, dilation=1):
    places = [
        output_size(i, k, stride, padding, dilation)
        for i, k in zip(in_shape[1:], kernel, strict=True)
    ]
    return int(np.prod([in_shape[0], filters, *kernel, *places], dtype=np.int64))


# %% solution="receptive_field"
def receptive_field(layers):
    field = 1
    for layer in list(layers)[::-1]:
        field = (field - 1) * layer.stride + (layer.kernel - 1) * layer.dilation + 1
    return field
