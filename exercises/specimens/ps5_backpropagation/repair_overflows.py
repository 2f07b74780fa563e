# ---
# about: Takes exp of x without subtracting the maximum of the row.
# blind: true
# fails:
#   test_repaired_backward: grad_x for x of shape
# ---

# %% solution="repaired_backward"
def repaired_backward(grad_y, x):
    """The right backward of the layer whose given backward is wrong; x has shape (N, K)."""
    e = torch.exp(x)
    y = e / e.sum(dim=1, keepdim=True)
    return y * grad_y - y * (y * grad_y).sum(dim=1, keepdim=True)
