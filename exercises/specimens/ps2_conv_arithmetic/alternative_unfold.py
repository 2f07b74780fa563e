# ---
# about: All windows at once, by im2col (F.unfold) and by the tensor's own unfold.
# ---

# %% solution="output_size"
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    """Counts the places by making a list of them."""
    for name, value, least in [
        ("size", size, 1),
        ("kernel", kernel, 1),
        ("stride", stride, 1),
        ("padding", padding, 0),
        ("dilation", dilation, 1),
    ]:
        if value < least:
            raise ValueError(f"{name}={value} is too small: it must be at least {least}.")
    last_tap = dilation * (kernel - 1)
    places = range(0, size + 2 * padding - last_tap, stride)
    if not places:
        problem = f"There are {size + 2 * padding} positions, and the window needs {last_tap + 1}."
        raise ValueError(problem)
    return len(places)


# %% solution="correlate2d"
def correlate2d(image, kernel):
    windows = image.unfold(0, kernel.shape[0], 1).unfold(1, kernel.shape[1], 1)
    return (windows * kernel).sum(dim=(2, 3))


# %% solution="conv2d"
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    kernel = tuple(weight.shape[2:])
    columns = F.unfold(x, kernel, dilation=dilation, padding=padding, stride=stride)
    y = weight.flatten(1) @ columns
    if bias is not None:
        y += bias[:, None]
    rows = output_size(x.shape[2], kernel[0], stride, padding, dilation)
    return y.view(x.shape[0], weight.shape[0], rows, -1)


# %% solution="conv3d"
def conv3d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    windows = F.pad(x, [padding] * 6)
    for axis, k in enumerate(weight.shape[2:], start=2):
        windows = windows.unfold(axis, dilation * (k - 1) + 1, stride)[..., ::dilation]
    y = torch.einsum("ncdhwijk,fcijk->nfdhw", windows, weight)
    return y if bias is None else y + bias.view(-1, 1, 1, 1)
