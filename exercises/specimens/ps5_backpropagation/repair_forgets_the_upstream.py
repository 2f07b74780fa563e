# ---
# about: Sums the derivatives of the outputs without weighing them with the upstream gradient.
# fails:
#   test_repaired_backward: "add up all the effects"
# ---

# %% solution="repaired_backward"
def repaired_backward(grad_y, x):
    y = softmax(x)
    return grad_y * (y - y * y.sum(dim=-1, keepdim=True))
