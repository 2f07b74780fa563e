# ---
# about: Adds up the effects over the whole batch, though an input moves only its own row's outputs.
# blind: true
# fails:
#   test_repaired_backward: "Each input of a row moves"
# ---

# %% solution="repaired_backward"
def repaired_backward(grad_y, x):
    y = torch.softmax(x, dim=-1)
    return y * (grad_y - (grad_y * y).sum())
