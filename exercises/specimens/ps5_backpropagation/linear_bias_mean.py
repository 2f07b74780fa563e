# ---
# about: Averages the bias's gradient over the batch; the 1/N of the loss then counts twice.
# fails:
#   test_linear_backward: "their mean would be 5.5"
#   test_network_gradients: "gradient of linear_bias"
#   test_training: expected a loss of
# ---

# %% solution="linear_backward"
def linear_backward(grad_y, x, weight):
    return grad_y @ weight, grad_y.T @ x, grad_y.mean(dim=0)
