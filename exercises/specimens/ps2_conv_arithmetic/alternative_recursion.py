# ---
# about: "Recursion over the axes: a convolution is a sum of shifted ones with one axis less."
# ---

# %% solution="conv3d"
def along(x, weight, stride, padding, dilation):
    """x (N, C, ...) with weight (F, C, ...), by recursion over the axes behind the second."""
    if x.dim() == 2:
        return x @ weight.T
    pad = x.new_zeros(*x.shape[:2], padding, *x.shape[3:])
    x = torch.cat([pad, x, pad], dim=2)
    k = weight.shape[2]
    places = range(0, x.shape[2] - dilation * (k - 1), stride)
    return torch.stack(
        [
            sum(
                along(x[:, :, i + t * dilation], weight[:, :, t], stride, padding, dilation)
                for t in range(k)
            )
            for i in places
        ],
        dim=2,
    )


def conv3d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    y = along(x, weight, stride, padding, dilation)
    return y if bias is None else (y.movedim(1, -1) + bias).movedim(-1, 1)
