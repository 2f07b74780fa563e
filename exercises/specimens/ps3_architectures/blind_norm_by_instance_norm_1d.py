# ---
# about: Lays each channel out as one row, and lets InstanceNorm1d normalise it.
# blind: true
# fails:
#   test_batch_norm_training: "does a step of yours (normalisation)"
#   test_batch_norm_running: "does a step of yours (normalisation)"
# ---

# %% solution="batch_norm_forward"
def batch_norm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    if training:
        mean = x.mean(dim=(0, 2, 3))
        var = x.var(dim=(0, 2, 3), unbiased=False)
        m = x.shape[0] * x.shape[2] * x.shape[3]
        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_var = (1 - momentum) * running_var + momentum * var * m / (m - 1)
    else:
        mean, var = running_mean, running_var
    if training:
        rows = x.transpose(0, 1).flatten(1)
        rows = nn.InstanceNorm1d(len(rows), eps=eps)(rows[None])[0]
        normal = rows.reshape(x.transpose(0, 1).shape).transpose(0, 1)
    else:
        normal = (x - mean[:, None, None]) / torch.sqrt(var + eps)[:, None, None]
    y = gamma[:, None, None] * normal + beta[:, None, None]
    return y, running_mean, running_var
