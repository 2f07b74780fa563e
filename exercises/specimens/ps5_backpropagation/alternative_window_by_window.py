# ---
# about: "Looks at each window of each picture and channel by itself: the way that most will write."
# ---

# %% solution="max_pool2d_backward"
def max_pool2d_backward(grad_y, x, kernel, stride):
    grad_x = torch.zeros_like(x)
    for n, c, i, j in np.ndindex(*grad_y.shape):
        top, left = i * stride, j * stride
        window = x[n, c, top : top + kernel, left : left + kernel]
        row, column = divmod(int(window.argmax()), kernel)
        grad_x[n, c, top + row, left + column] += grad_y[n, c, i, j]
    return grad_x
