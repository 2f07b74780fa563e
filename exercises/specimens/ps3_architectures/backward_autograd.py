# ---
# about: Lets autograd differentiate the forward pass.
# fails:
#   test_batch_norm_backward: does a step of yours (autograd)
#   test_batch_norm_backward_evaluation: does a step of yours (autograd)
# ---

# %% solution="batch_norm_backward"
def batch_norm_backward(grad_y, x, gamma, running_mean, running_var, training, eps=1e-5):
    with torch.enable_grad():
        leaves = [x.clone().requires_grad_(), gamma.clone().requires_grad_()]
        leaves.append(torch.zeros_like(gamma).requires_grad_())
        inputs = (*leaves, running_mean, running_var)
        y = batch_norm_forward(*inputs, training, eps=eps)[0]
        return torch.autograd.grad(y, leaves, grad_y)
