# ---
# about: Updates the running statistics in place.
# fails:
#   test_batch_norm_training: an input was changed
#   test_batch_norm_running: an input was changed
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
        running_mean.mul_(1 - momentum).add_(momentum * mean)
        running_var.mul_(1 - momentum).add_(momentum * unbiased)
    scale = gamma / torch.sqrt(var + eps)
    y = (x - mean[:, None, None]) * scale[:, None, None] + beta[:, None, None]
    return y, running_mean, running_var
