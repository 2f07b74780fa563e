# ---
# about: Remembers the slope of tanh as 1 + y², which is the derivative of tan.
# fails:
#   test_tanh_backward: The slope is 1 - y², with y = tanh(x)
#   test_network_gradients: look at the reshape, the pool and tanh
#   test_training: "step 1: expected a loss of"
# ---

# %% solution="tanh_backward"
def tanh_backward(grad_y, x):
    return grad_y * (1 + torch.tanh(x) ** 2)
