# ---
# about: Takes the maximum of the window and of 0, with which the output was filled.
# fails:
#   test_max_pool_forward: All inputs may be negative
# ---

# %% solution="max_pool2d"
def max_pool2d(x, kernel, stride):
    rows = (x.shape[2] - kernel) // stride + 1
    columns = (x.shape[3] - kernel) // stride + 1
    y = x.new_zeros(*x.shape[:2], rows, columns)
    for i, j in np.ndindex(rows, columns):
        for a, b in np.ndindex(kernel, kernel):
            y[:, :, i, j] = torch.maximum(y[:, :, i, j], x[:, :, i * stride + a, j * stride + b])
    return y
