# ---
# about: Writes the slope as 1 - x², where y² is meant.
# fails:
#   test_tanh_backward: The slope is 1 - y², with y = tanh(x)
#   test_saturated_fraction: "expected"
#   test_network_gradients: look at the reshape, the pool and tanh
#   test_training: "expected"
# ---

# %% solution="tanh_backward"
def tanh_backward(grad_y, x):
    return grad_y * (1 - x**2)


# %% solution="saturated_fraction"
def saturated_fraction(x, threshold=0.01):
    return (1 - x**2 < threshold).double().mean().item()
