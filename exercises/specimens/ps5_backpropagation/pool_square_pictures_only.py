# ---
# about: Counts the columns as the rows, so that only square pictures are pooled right.
# fails:
#   test_max_pool_forward: expected shape
# ---

# %% solution="max_pool2d"
def max_pool2d(x, kernel, stride):
    size = (x.shape[2] - kernel) // stride + 1
    y = x.new_zeros(*x.shape[:2], size, size)
    for i, j in np.ndindex(size, size):
        top, left = i * stride, j * stride
        y[:, :, i, j] = x[:, :, top : top + kernel, left : left + kernel].amax(dim=(2, 3))
    return y
