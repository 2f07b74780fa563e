# ---
# about: Sums over the outputs too, as if all outputs shared a single bias.
# blind: true
# fails:
#   test_linear_backward: "The same bias is added to every row"
#   test_network_gradients: "linear_bias needs shape"
#   test_training: "expected a loss of"
# ---

# %% solution="linear_backward"
def linear_backward(grad_y, x, weight):
    return grad_y @ weight, grad_y.T @ x, grad_y.sum().reshape(1)
