# ---
# about: Takes the strongest response for the largest number, so that -5 beats 3 and comes out as 5.
# blind: true
# fails:
#   test_max_pool_forward: "All inputs may be negative"
# ---

# %% solution="max_pool2d"
def max_pool2d(x, kernel, stride):
    rows = (x.shape[2] - kernel) // stride + 1
    columns = (x.shape[3] - kernel) // stride + 1
    y = x.new_zeros(x.shape[0], x.shape[1], rows, columns)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            window = x[:, :, top : top + kernel, left : left + kernel]
            y[:, :, i, j] = window.abs().amax(dim=(2, 3))
    return y
