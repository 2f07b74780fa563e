# ---
# about: Divides by the batch here too, though the loss has already done so.
# fails:
#   test_tanh_backward: The slope is 1 - y², with y = tanh(x)
#   test_network_gradients: look at the reshape, the pool and tanh
#   test_training: "step 1: expected a loss of"
# ---

# %% solution="tanh_backward"
def tanh_backward(grad_y, x):
    return grad_y * (1 - torch.tanh(x) ** 2) / len(x)
