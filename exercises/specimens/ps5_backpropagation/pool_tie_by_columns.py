# ---
# about: In a tie the first maximum gets the gradient, but counted column by column, not row by row.
# blind: true
# fails:
#   test_max_pool_backward: "row by row"
# ---

# %% solution="max_pool2d_backward"
def max_pool2d_backward(grad_y, x, kernel, stride):
    grad_x = torch.zeros_like(x)
    images, channels, rows, columns = grad_y.shape
    for n in range(images):
        for c in range(channels):
            for i in range(rows):
                for j in range(columns):
                    top, left = i * stride, j * stride
                    window = x[n, c, top : top + kernel, left : left + kernel]
                    column, row = divmod(int(window.T.argmax()), kernel)
                    grad_x[n, c, top + row, left + column] += grad_y[n, c, i, j]
    return grad_x
