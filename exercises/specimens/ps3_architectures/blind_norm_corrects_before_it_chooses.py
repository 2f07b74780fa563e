# ---
# about: Computes the correction in evaluation, too, and divides by 0 for one number.
# blind: true
# fails:
#   test_batch_norm_running: ZeroDivisionError
# ---

# %% solution="batch_norm_forward"
def batch_norm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    count = x.shape[0] * x.shape[2] * x.shape[3]
    correction = count / (count - 1)
    if training:
        mean = x.mean(dim=(0, 2, 3))
        var = x.var(dim=(0, 2, 3), unbiased=False)
        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_var = (1 - momentum) * running_var + momentum * var * correction
    else:
        mean, var = running_mean, running_var
    normal = (x - mean[:, None, None]) / torch.sqrt(var + eps)[:, None, None]
    y = gamma[:, None, None] * normal + beta[:, None, None]
    return y, running_mean, running_var
