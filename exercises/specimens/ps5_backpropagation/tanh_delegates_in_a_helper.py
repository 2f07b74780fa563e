# ---
# about: Calls autograd in a helper.
# fails:
#   test_tanh_backward: write that step yourself
#   test_network_gradients: write that step yourself
#   test_training: write that step yourself
# ---

# %% solution="tanh_backward"
def derivative(function, x, upstream):
    leaf = x.clone().requires_grad_()
    return torch.autograd.grad(function(leaf), leaf, upstream)[0]


def tanh_backward(grad_y, x):
    return derivative(torch.tanh, x, grad_y)
