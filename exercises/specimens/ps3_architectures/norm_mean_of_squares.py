# ---
# about: The variance as mean of x² minus μ².
# fails:
#   test_batch_norm_training: Subtract the mean first
#   test_batch_norm_running: Subtract the mean first
# ---

# %% solution="batch_norm_forward"
def batch_norm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    """y, the new running_mean and the new running_var; x is (N, C, H, W), the rest (C,)."""
    mean, var = running_mean, running_var
    if training:
        mean = x.mean(dim=(0, 2, 3))
        var = (x**2).mean(dim=(0, 2, 3)) - mean**2
        count = x.numel() // x.shape[1]
        unbiased = var * count / (count - 1)
        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_var = (1 - momentum) * running_var + momentum * unbiased
    scale = gamma / torch.sqrt(var + eps)
    y = (x - mean[:, None, None]) * scale[:, None, None] + beta[:, None, None]
    return y, running_mean, running_var
