# ---
# about: Repairs swish, which wasn't broken.
# fails:
#   test_repaired_backward: Each input of a row moves every output of that row
# ---

# %% solution="repaired_backward"
def repaired_backward(grad_y, x):
    s = torch.sigmoid(x)
    return grad_y * s * (1 + x * (1 - s))
