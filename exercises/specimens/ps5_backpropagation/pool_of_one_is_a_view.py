# ---
# about: With kernel 1 the result is a view of x.
# blind: true
# fails:
#   test_max_pool_forward: give back a new tensor
# ---

# %% solution="max_pool2d"
def max_pool2d(x, kernel, stride):
    """Max pooling without padding: (N, C, H, W) to (N, C, rows, columns)."""
    if kernel == 1:
        return x[:, :, ::stride, ::stride]
    windows = x.unfold(2, kernel, stride).unfold(3, kernel, stride)
    return windows.amax(dim=(-2, -1))
