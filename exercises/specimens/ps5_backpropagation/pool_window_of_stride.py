# ---
# about: The windows are counted with the kernel, but cut as large as the stride.
# blind: true
# fails:
#   test_max_pool_forward: "indows start `stride` apart"
# ---

# %% solution="max_pool2d"
def max_pool2d(x, kernel, stride):
    rows = (x.shape[2] - kernel) // stride + 1
    columns = (x.shape[3] - kernel) // stride + 1
    y = x.new_zeros(x.shape[0], x.shape[1], rows, columns)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            y[:, :, i, j] = x[:, :, top : top + stride, left : left + stride].amax(dim=(2, 3))
    return y
