# ---
# about: The weight's gradient the other way round, (D, K) for (K, D).
# fails:
#   test_linear_backward: grad_weight has the shape of weight
#   test_network_gradients: the gradient of linear_weight needs shape
#   test_training: must match
# ---

# %% solution="linear_backward"
def linear_backward(grad_y, x, weight):
    return grad_y @ weight, x.T @ grad_y, grad_y.sum(dim=0)
