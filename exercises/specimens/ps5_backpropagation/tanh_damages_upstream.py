# ---
# about: Multiplies the upstream gradient in place; the values are right, the caller's tensor isn't.
# fails:
#   test_tanh_backward: "an input was changed"
# ---

# %% solution="tanh_backward"
def tanh_backward(grad_y, x):
    grad_y *= 1 - torch.tanh(x) ** 2
    return grad_y.clone()
