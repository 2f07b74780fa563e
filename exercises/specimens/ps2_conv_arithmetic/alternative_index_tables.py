# ---
# about: "It gathers all windows with tables of indices, and counts by recursion."
# ---

# %% solution="output_size"
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    """How many places a window takes along one axis (int); ValueError if that can't be."""
    for name in ("size", "kernel", "stride", "dilation"):
        if (value := locals()[name]) <= 0:
            raise ValueError(f"{name} must be at least 1, got {value}")
    if padding <= -1:
        raise ValueError(f"padding must be at least 0, got {padding}")
    free = size + padding * 2 - kernel - (kernel - 1) * (dilation - 1)
    if free <= -1:
        there = size + padding * 2
        raise ValueError(f"a window reaching over {there - free} is too large for {there}")
    return (free + stride) // stride


# %% solution="correlate2d"
def correlate2d(image, kernel):
    """The cross-correlation of an image (H, W) with a kernel, without padding; stride 1."""
    output_size(image.shape[0], kernel.shape[0])
    output_size(image.shape[1], kernel.shape[1])
    windows = image.unfold(0, kernel.shape[0], 1).unfold(1, kernel.shape[1], 1)
    return (windows * kernel).sum(dim=(-2, -1)).to(image.dtype)


# %% solution="conv2d"
def all_windows(x, kernel, stride, padding, dilation):
    """The windows of x (N, C, …) as (N, C, places…, taps…), by tables of indices."""
    windows = F.pad(x, (padding, padding) * len(kernel))
    for axis, k in enumerate(kernel, start=2):
        places = output_size(x.shape[axis], k, stride, padding, dilation)
        starts = stride * torch.arange(places, device=x.device)
        table = starts[:, None] + dilation * torch.arange(k, device=x.device)
        picked = windows.index_select(axis, table.flatten())
        windows = picked.unflatten(axis, table.shape).movedim(axis + 1, -1)
    return windows


def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    """The convolution of x (N, C, H, W) with weight (F, C, k_h, k_w), plus bias (F,)."""
    windows = all_windows(x, weight.shape[2:], stride, padding, dilation)
    result = torch.einsum("nchwyx,fcyx->nfhw", windows, weight)
    return result if bias is None else bias.view(-1, 1, 1) + result


# %% solution="conv3d"
def conv3d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    """The convolution of x (N, C, D, H, W) with weight (F, C, k_d, k_h, k_w), plus bias (F,)."""
    windows = all_windows(x, weight.shape[2:], stride, padding, dilation)
    result = torch.einsum("ncdhwzyx,fczyx->nfdhw", windows, weight)
    return result if bias is None else bias.view(-1, 1, 1, 1) + result


# %% solution="conv_parameters"
def conv_parameters(in_channels, filters, kernel, bias=True):
    """How many weights and biases a convolution has (int); kernel has one number an axis."""
    if not kernel:
        return filters * (in_channels + (1 if bias else 0))
    return conv_parameters(in_channels * kernel[0], filters, kernel[1:], bias)


# %% solution="conv_macs"
def conv_macs(in_shape, filters, kernel, stride=1, padding=0, dilation=1):
    """Multiply-adds of a convolution for one example of shape (C, …), as an int."""

    def along(axes):
        if not axes:
            return filters * in_shape[0]
        (size, k), *rest = axes
        return k * output_size(size, k, stride, padding, dilation) * along(rest)

    return along(list(zip(in_shape[1:], kernel, strict=True)))


# %% solution="receptive_field"
def receptive_field(layers):
    """How many input pixels along one axis a unit behind these layers depends on (int)."""
    if not layers:
        return 1
    nearest, *behind = layers
    inner = receptive_field(behind)
    return (inner - 1) * nearest.stride + nearest.dilation * (nearest.kernel - 1) + 1
