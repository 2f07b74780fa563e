# ---
# about: numpy inside, tensors outside; loops where the reference has none.
# ---

# %% solution="batch_norm_forward"
def batch_norm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    a = x.cpu().double().numpy()
    mean, var = (value.cpu().double().numpy() for value in (running_mean, running_var))
    if training:
        flat = a.transpose(1, 0, 2, 3).reshape(a.shape[1], -1)
        mean, var = flat.mean(axis=1), flat.var(axis=1)
        new = torch.from_numpy(flat.var(axis=1, ddof=1)).to(running_var)
        running_mean = torch.lerp(running_mean, torch.from_numpy(mean).to(running_mean), momentum)
        running_var = torch.lerp(running_var, new, momentum)
    normal = (a - mean.reshape(1, -1, 1, 1)) / np.sqrt(var + eps).reshape(1, -1, 1, 1)
    y = torch.from_numpy(normal).to(x) * gamma.view(1, -1, 1, 1) + beta.view(1, -1, 1, 1)
    return y, running_mean, running_var


# %% solution="pool_blocks"
def pool_blocks(x):
    windows = x.unfold(2, 2, 2).unfold(3, 2, 2)
    return windows.flatten(4).max(dim=4).values


# %% solution="largest_batch"
def largest_batch(rows, shape, memory, optimiser_numbers=1):
    import math

    left = memory - sum(4 * (2 + optimiser_numbers) * row.parameters for row in rows)
    each = 4 * math.prod(shape)
    each += sum(KEPT_BYTES[row[0]] * math.prod(row[1]) for row in rows if row[0] in KEPT_BYTES)
    return left // each if left > 0 else 0
