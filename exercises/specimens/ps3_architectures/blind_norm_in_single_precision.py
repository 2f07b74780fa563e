# ---
# about: Computes in float32 and gives back the dtype that it got, without its digits.
# blind: true
# fails:
#   test_batch_norm_training: Mean and variance of each channel of the batch
#   test_batch_norm_running: In evaluation the running statistics normalise, with eps too
# ---

# %% solution="batch_norm_forward"
def batch_norm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    dtype = x.dtype
    x, gamma, beta = x.float(), gamma.float(), beta.float()
    if training:
        mean = x.mean(dim=(0, 2, 3))
        var = x.var(dim=(0, 2, 3), unbiased=False)
        m = x.shape[0] * x.shape[2] * x.shape[3]
        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_var = (1 - momentum) * running_var + momentum * var * m / (m - 1)
    else:
        mean, var = running_mean, running_var
    normal = (x - mean[:, None, None]) / torch.sqrt(var + eps)[:, None, None]
    y = gamma[:, None, None] * normal + beta[:, None, None]
    return y.to(dtype), running_mean.to(dtype), running_var.to(dtype)
