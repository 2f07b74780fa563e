# ---
# about: Lets autograd differentiate the forward pass, in a helper.
# blind: true
# fails:
#   test_batch_norm_backward: "does a step of yours (autograd)"
#   test_batch_norm_backward_evaluation: "does a step of yours (autograd)"
# ---

# %% solution="batch_norm_backward"
def slopes(outputs, inputs, grad_y):
    return torch.autograd.grad(outputs, inputs, grad_y, materialize_grads=True)


def batch_norm_backward(grad_y, x, gamma, running_mean, running_var, training, eps=1e-5):
    with torch.set_grad_enabled(True):
        leaves = [nn.Parameter(one.clone()) for one in (x, gamma, torch.zeros_like(gamma))]
        y = batch_norm_forward(*leaves, running_mean, running_var, training, eps=eps)[0]
        return slopes(y, leaves, grad_y)
