# ---
# about: Does not cut the last row or column off.
# fails:
#   test_pool_blocks: is invalid for input of size
# ---

# %% solution="pool_blocks"
def pool_blocks(x):
    """The 2 × 2 max pool of x (N, C, H, W), without a loop in Python."""
    rows, columns = x.shape[2] // 2, x.shape[3] // 2
    return x.reshape(x.shape[0], x.shape[1], rows, 2, columns, 2).amax(dim=(3, 5))
