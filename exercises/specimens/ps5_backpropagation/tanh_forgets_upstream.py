# ---
# about: Returns the slope alone; the chain rule's other factor is forgotten.
# fails:
#   test_tanh_backward: Multiply the slope by the upstream gradient
#   test_network_gradients: look at the reshape, the pool and tanh
#   test_training: do all of part 3's tests pass
# ---

# %% solution="tanh_backward"
def tanh_backward(grad_y, x):
    return 1 - torch.tanh(x) ** 2
