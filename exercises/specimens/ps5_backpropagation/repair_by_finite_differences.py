# ---
# about: Finite differences in place of a derivative.
# blind: true
# fails:
#   test_repaired_backward: "to twelve digits"
# ---

# %% solution="repaired_backward"
def repaired_backward(grad_y, x):
    return numerical_gradient(lambda t: (softmax(t) * grad_y).sum(), x).to(x.dtype)
