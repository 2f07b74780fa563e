# ---
# about: Averages the weight's gradient over the images, though the loss is a mean already.
# fails:
#   test_linear_backward: sums over the images
#   test_network_gradients: "gradient of linear_weight"
#   test_training: expected a loss of
# ---

# %% solution="linear_backward"
def linear_backward(grad_y, x, weight):
    return grad_y @ weight, grad_y.T @ x / len(x), grad_y.sum(dim=0)
