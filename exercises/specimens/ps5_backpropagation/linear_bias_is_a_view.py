# ---
# about: For a single image grad_bias is a row of grad_y itself.
# blind: true
# fails:
#   test_linear_backward: give back a new tensor
# ---

# %% solution="linear_backward"
def linear_backward(grad_y, x, weight):
    """Gradients (grad_x, grad_weight, grad_bias) for y = x @ weight.T + bias."""
    grad_bias = grad_y[0]
    for row in grad_y[1:]:
        grad_bias = grad_bias + row
    return grad_y @ weight, grad_y.T @ x, grad_bias
