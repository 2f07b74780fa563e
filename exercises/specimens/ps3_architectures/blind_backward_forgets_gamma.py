# ---
# about: Leaves gamma out of the gradient of x.
# blind: true
# fails:
#   test_batch_norm_backward: in evaluation mean and variance are fixed
#   test_batch_norm_backward_evaluation: in evaluation mean and variance are fixed
# ---

# %% solution="batch_norm_backward"
def batch_norm_backward(grad_y, x, gamma, running_mean, running_var, training, eps=1e-5):
    axes = (0, 2, 3)
    if training:
        mean, var = x.mean(dim=axes), x.var(dim=axes, unbiased=False)
    else:
        mean, var = running_mean, running_var
    root = torch.sqrt(var + eps)[:, None, None]
    normal = (x - mean[:, None, None]) / root
    grad_gamma, grad_beta = (grad_y * normal).sum(dim=axes), grad_y.sum(dim=axes)
    grad_x = 1 / root * grad_y
    if training:
        m = x.shape[0] * x.shape[2] * x.shape[3]
        moved = grad_beta[:, None, None] / m + normal * grad_gamma[:, None, None] / m
        grad_x = 1 / root * (grad_y - moved)
    return grad_x, grad_gamma, grad_beta
