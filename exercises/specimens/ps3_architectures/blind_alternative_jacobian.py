# ---
# about: Each channel as a row of a matrix; the backward pass by the whole Jacobian of each row.
# blind: true
# ---

# %% solution="batch_norm_forward"
def batch_norm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    shape = x.movedim(1, 0).shape
    rows = x.movedim(1, 0).flatten(1)
    centre, spread = running_mean, running_var
    if training:
        centre = rows.sum(1) / rows.shape[1]
        squares = torch.square(rows - centre.unsqueeze(1)).sum(1)
        spread = squares / rows.shape[1]
        running_mean = running_mean + momentum * (centre - running_mean)
        running_var = running_var + momentum * (squares / (rows.shape[1] - 1) - running_var)
    slope = gamma * torch.rsqrt(spread + eps)
    rows = (rows - centre.unsqueeze(1)) * slope.unsqueeze(1) + beta.unsqueeze(1)
    return rows.reshape(shape).movedim(0, 1), running_mean, running_var


# %% solution="batch_norm_backward"
def batch_norm_backward(grad_y, x, gamma, running_mean, running_var, training, eps=1e-5):
    shape = x.movedim(1, 0).shape
    grads, rows = grad_y.movedim(1, 0).flatten(1), x.movedim(1, 0).flatten(1)
    results = []
    for channel, (g, row) in enumerate(zip(grads, rows, strict=True)):
        m = len(row)
        centre, spread = running_mean[channel], running_var[channel]
        if training:
            centre = row.mean()
            spread = torch.dot(row - centre, row - centre) / m
        root = (spread + eps) ** 0.5
        normal = (row - centre) / root
        grad = g.clone()
        if training:
            jacobian = torch.eye(m, dtype=x.dtype, device=x.device)
            jacobian = jacobian - 1 / m - torch.outer(normal, normal) / m
            grad = jacobian.T @ g
        results.append((grad * gamma[channel] / root, torch.dot(g, normal), g.sum()))
    grad_x, grad_gamma, grad_beta = (torch.stack(parts) for parts in zip(*results, strict=True))
    return grad_x.reshape(shape).movedim(0, 1), grad_gamma, grad_beta
