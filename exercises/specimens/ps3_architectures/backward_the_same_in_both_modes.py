# ---
# about: Uses the formula of training in evaluation.
# fails:
#   test_batch_norm_backward_evaluation: Mean and variance are fixed numbers here
# ---

# %% solution="batch_norm_backward"
def batch_norm_backward(grad_y, x, gamma, running_mean, running_var, training, eps=1e-5):
    """grad_x (N, C, H, W), grad_gamma and grad_beta (C,), for y = batch_norm_forward(x, …)."""
    mean, var = running_mean, running_var
    if training:
        mean = x.mean(dim=(0, 2, 3))
        var = x.var(dim=(0, 2, 3), unbiased=False)
    root = torch.sqrt(var + eps)
    normal = (x - mean[:, None, None]) / root[:, None, None]
    inner = grad_y
    if True:
        along = (grad_y * normal).mean(dim=(0, 2, 3), keepdim=True)
        inner = grad_y - grad_y.mean(dim=(0, 2, 3), keepdim=True) - normal * along
    grad_x = (gamma / root)[:, None, None] * inner
    return grad_x, (grad_y * normal).sum(dim=(0, 2, 3)), grad_y.sum(dim=(0, 2, 3))
