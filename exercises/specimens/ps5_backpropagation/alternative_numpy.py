# ---
# about: numpy inside, tensors outside.
# ---

# %% solution="tanh_backward"
def tanh_backward(grad_y, x):
    """The slope as 1 / cosh², which is the same."""
    slope = 1 / np.cosh(np.clip(x.cpu().double().numpy(), -300, 300)) ** 2
    return grad_y * torch.from_numpy(slope).to(x)


# %% solution="max_pool2d"
def max_pool2d(x, kernel, stride):
    windows = np.lib.stride_tricks.sliding_window_view(x.cpu().numpy(), (kernel, kernel), (2, 3))
    return torch.tensor(windows[:, :, ::stride, ::stride].max(axis=(4, 5))).to(x)


# %% solution="max_pool2d_backward"
def max_pool2d_backward(grad_y, x, kernel, stride):
    values, upstream = x.cpu().numpy(), grad_y.cpu().numpy()
    grad_x = np.zeros_like(values)
    for (n, c, i, j), gradient in np.ndenumerate(upstream):
        rows, columns = (
            slice(i * stride, i * stride + kernel),
            slice(j * stride, j * stride + kernel),
        )
        window = values[n, c, rows, columns]
        place = np.unravel_index(window.argmax(), window.shape)
        grad_x[n, c, rows, columns][place] += gradient
    return torch.from_numpy(grad_x).to(x)


# %% solution="linear_backward"
def linear_backward(grad_y, x, weight):
    return (
        torch.einsum("nk,kd->nd", grad_y, weight),
        torch.einsum("nk,nd->kd", grad_y, x),
        torch.einsum("nk->k", grad_y),
    )


# %% solution="numerical_gradient"
def numerical_gradient(f, x, eps=1e-6):
    flat = x.detach().double().reshape(-1)
    slopes = []
    for nudge in eps * torch.eye(flat.numel(), dtype=torch.float64):
        up, down = (flat + nudge).reshape(x.shape), (flat - nudge).reshape(x.shape)
        slopes.append(float(f(up) - f(down)) / (2 * eps))
    return torch.tensor(slopes, dtype=torch.float64).reshape(x.shape)
