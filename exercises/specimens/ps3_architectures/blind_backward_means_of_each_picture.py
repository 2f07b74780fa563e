# ---
# about: Takes the two means of the formula for each picture alone.
# blind: true
# fails:
#   test_batch_norm_backward: The formula is that of training; in evaluation mean and variance are
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
    grad_x = gamma[:, None, None] / root * grad_y
    if training:
        moved = grad_y.mean(dim=(2, 3), keepdim=True)
        moved = moved + normal * (grad_y * normal).mean(dim=(2, 3), keepdim=True)
        grad_x = gamma[:, None, None] / root * (grad_y - moved)
    return grad_x, grad_gamma, grad_beta
