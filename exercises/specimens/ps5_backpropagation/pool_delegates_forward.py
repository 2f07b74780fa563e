# ---
# about: Calls PyTorch's max pooling instead of writing it.
# fails:
#   test_max_pool_forward: "write that step yourself"
# ---

# %% solution="max_pool2d"
def max_pool2d(x, kernel, stride):
    return F.max_pool2d(x, kernel, stride)
