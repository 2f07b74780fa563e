# ---
# about: Momentum is the weight of the old statistics, as in other libraries.
# fails:
#   test_batch_norm_running: A tenth of the new mean
# ---

# %% solution="batch_norm_forward"
def batch_norm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    """y, the new running_mean and the new running_var; x is (N, C, H, W), the rest (C,)."""
    mean, var = running_mean, running_var
    if training:
        mean = x.mean(dim=(0, 2, 3))
        var = ((x - mean[:, None, None]) ** 2).mean(dim=(0, 2, 3))
        count = x.numel() // x.shape[1]
        unbiased = var * count / (count - 1)
        running_mean = momentum * running_mean + (1 - momentum) * mean
        running_var = momentum * running_var + (1 - momentum) * unbiased
    scale = gamma / torch.sqrt(var + eps)
    y = (x - mean[:, None, None]) * scale[:, None, None] + beta[:, None, None]
    return y, running_mean, running_var
