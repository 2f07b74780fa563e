# ---
# about: Hides autograd in a helper, which the look at the function's own source doesn't see.
# fails:
#   test_tanh_backward: does not require grad
#   test_network_gradients: does not require grad
# ---

# %% solution="tanh_backward"
def derivative(function, x, upstream):
    leaf = x.clone().requires_grad_()
    return torch.autograd.grad(function(leaf), leaf, upstream)[0]


def tanh_backward(grad_y, x):
    return derivative(torch.tanh, x, grad_y)
