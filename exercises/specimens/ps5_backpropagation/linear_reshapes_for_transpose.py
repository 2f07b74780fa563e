# ---
# about: The product comes out as (D, K), and reshape makes it (K, D), as if that transposed it.
# blind: true
# fails:
#   test_linear_backward: "grad_weight has the shape of weight"
#   test_network_gradients: "look at the linear layer"
#   test_training: "expected a loss of"
# ---

# %% solution="linear_backward"
def linear_backward(grad_y, x, weight):
    grad_x = grad_y @ weight
    grad_weight = (x.T @ grad_y).reshape(weight.shape)
    return grad_x, grad_weight, grad_y.sum(dim=0)
