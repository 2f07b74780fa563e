# ---
# about: A helper switches gradients on again and calls backward().
# blind: true
# fails:
#   test_tanh_backward: "write that step yourself"
#   test_network_gradients: "write that step yourself"
#   test_training: "write that step yourself"
# ---

# %% solution="tanh_backward"
def helper(x, grad_y):
    with torch.enable_grad():
        leaf = x.clone().requires_grad_()
        torch.tanh(leaf).backward(grad_y)
    return leaf.grad


def tanh_backward(grad_y, x):
    return helper(x, grad_y)
