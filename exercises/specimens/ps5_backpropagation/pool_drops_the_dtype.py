# ---
# about: Allocates float32 whatever comes in, so that double precision is lost.
# fails:
#   test_max_pool_forward: expected torch.float64
#   test_max_pool_backward: expected torch.float64
#   test_max_pool_overlap: expected torch.float64
#   test_network_gradients: gradient of conv
# ---

# %% solution="max_pool2d"
def max_pool2d(x, kernel, stride):
    rows = (x.shape[2] - kernel) // stride + 1
    columns = (x.shape[3] - kernel) // stride + 1
    y = torch.zeros(*x.shape[:2], rows, columns, device=x.device)
    for i, j in np.ndindex(rows, columns):
        top, left = i * stride, j * stride
        y[:, :, i, j] = x[:, :, top : top + kernel, left : left + kernel].amax(dim=(2, 3))
    return y


# %% solution="max_pool2d_backward"
def max_pool2d_backward(grad_y, x, kernel, stride):
    grad_x = torch.zeros(x.shape, device=x.device)
    for n, c, i, j in np.ndindex(*grad_y.shape):
        top, left = i * stride, j * stride
        window = x[n, c, top : top + kernel, left : left + kernel]
        row, column = divmod(int(window.argmax()), kernel)
        grad_x[n, c, top + row, left + column] += grad_y[n, c, i, j]
    return grad_x
