# ---
# about: The same in other words, with helpers, one-hot labels and the Jacobian of softmax.
# ---

# %% solution="tanh_backward"
def slope_of_tanh(x):
    y = torch.tanh(x)
    return (1 - y) * (1 + y)


def tanh_backward(grad_y, x):
    with torch.no_grad():
        return slope_of_tanh(x) * grad_y


# %% solution="saturated_fraction"
def saturated_fraction(x, threshold=0.01):
    return float((slope_of_tanh(x) < threshold).sum()) / x.numel()


# %% solution="linear_backward"
def linear_backward(grad_y, x, weight):
    grad_weight = sum(torch.outer(g, row) for g, row in zip(grad_y, x, strict=True))
    return torch.matmul(grad_y, weight), grad_weight, grad_y.sum(0)


# %% solution="softmax_cross_entropy"
def softmax_cross_entropy(logits, labels):
    onehot = F.one_hot(labels, logits.shape[1]).to(logits.dtype)
    log_p = torch.log_softmax(logits, dim=1)
    loss = -(onehot * log_p).sum() / logits.shape[0]
    return loss, (torch.softmax(logits, dim=1) - onehot) / logits.shape[0]


# %% solution="gradient_check"
def gradient_check(forward, backward, x):
    x = x.double()
    grad_y = torch.rand(forward(x).shape, generator=torch.Generator().manual_seed(3)).double() + 1
    a = backward(grad_y, x)
    n = numerical_gradient(lambda t: float((forward(t) * grad_y).sum()), x)
    if not a.any() and not n.any():
        return 0.0
    return float((a - n).norm() / max(a.norm(), n.norm()))


# %% solution="repaired_backward"
def repaired_backward(grad_y, x):
    y = torch.softmax(x, dim=1)
    jacobian = torch.diag_embed(y) - y[:, :, None] * y[:, None, :]
    return (jacobian @ grad_y[:, :, None])[:, :, 0]
