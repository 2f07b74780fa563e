# ---
# about: Rounds the number of rows up, so that windows hang over the lower border.
# fails:
#   test_max_pool_forward: expected shape
# ---

# %% solution="max_pool2d"
def max_pool2d(x, kernel, stride):
    rows = math.ceil((x.shape[2] - kernel) / stride) + 1
    columns = (x.shape[3] - kernel) // stride + 1
    y = x.new_zeros(*x.shape[:2], rows, columns)
    for i, j in np.ndindex(rows, columns):
        top, left = i * stride, j * stride
        y[:, :, i, j] = x[:, :, top : top + kernel, left : left + kernel].amax(dim=(2, 3))
    return y
