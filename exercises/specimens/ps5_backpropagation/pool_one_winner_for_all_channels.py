# ---
# about: Looks for the winner in the first image and channel, and uses its place for all.
# fails:
#   test_max_pool_backward: The first maximum of each window
#   test_max_pool_overlap: expected
#   test_network_gradients: look at the reshape, the pool and tanh
#   test_training: "step 1: expected a loss of"
# ---

# %% solution="max_pool2d_backward"
def max_pool2d_backward(grad_y, x, kernel, stride):
    grad_x = torch.zeros_like(x)
    for i, j in np.ndindex(*grad_y.shape[2:]):
        top, left = i * stride, j * stride
        window = x[0, 0, top : top + kernel, left : left + kernel]
        row, column = divmod(int(window.argmax()), kernel)
        grad_x[:, :, top + row, left + column] += grad_y[:, :, i, j]
    return grad_x
