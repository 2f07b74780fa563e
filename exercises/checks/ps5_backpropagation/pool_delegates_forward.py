# ---
# about: Calls PyTorch's max pooling instead of writing it.
# fails:
#   test_max_pool_forward: "max_pool2d uses max_pool2d: in this assignment you write that step"
# ---

# %% solution="max_pool2d"
def max_pool2d(x, kernel, stride):
    return F.max_pool2d(x, kernel, stride)
