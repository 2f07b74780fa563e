# ---
# about: Adds up in grad_y itself when there are more than 16 outputs.
# blind: true
# fails:
#   test_linear_backward: an input was changed
# ---

# %% solution="linear_backward"
def linear_backward(grad_y, x, weight):
    """Gradients (grad_x, grad_weight, grad_bias) for y = x @ weight.T + bias."""
    grad_x, grad_weight = grad_y @ weight, grad_y.T @ x
    running = grad_y if grad_y.shape[1] > 16 else grad_y.clone()
    for row in range(1, len(running)):
        running[row] += running[row - 1]
    return grad_x, grad_weight, running[-1].clone()
