# ---
# about: Moves the running statistics towards the batch in evaluation, too.
# blind: true
# fails:
#   test_batch_norm_running: Evaluation collects nothing
# ---

# %% solution="batch_norm_forward"
def batch_norm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    if training:
        mean = x.mean(dim=(0, 2, 3))
        var = x.var(dim=(0, 2, 3), unbiased=False)
    else:
        mean, var = running_mean, running_var
    normal = (x - mean[:, None, None]) / torch.sqrt(var + eps)[:, None, None]
    y = gamma[:, None, None] * normal + beta[:, None, None]
    new_mean, new_var = x.mean(dim=(0, 2, 3)), x.var(dim=(0, 2, 3))
    running_mean = (1 - momentum) * running_mean + momentum * new_mean
    running_var = (1 - momentum) * running_var + momentum * new_var
    return y, running_mean, running_var
