# ---
# about: Lets windows start `kernel` apart, whatever the stride, forward and backward.
# fails:
#   test_max_pool_forward: "indows start `stride` apart"
#   test_max_pool_backward: "grad_x of a"
#   test_max_pool_overlap: expected
# ---

# %% solution="max_pool2d"
def max_pool2d(x, kernel, stride):
    return x.unfold(2, kernel, kernel).unfold(3, kernel, kernel).amax(dim=(-2, -1))


# %% solution="max_pool2d_backward"
def max_pool2d_backward(grad_y, x, kernel, stride):
    grad_x = torch.zeros_like(x)
    for n, c, i, j in np.ndindex(*grad_y.shape):
        top, left = i * kernel, j * kernel
        window = x[n, c, top : top + kernel, left : left + kernel]
        if window.numel() < kernel**2:
            continue
        row, column = divmod(int(window.argmax()), kernel)
        grad_x[n, c, top + row, left + column] += grad_y[n, c, i, j]
    return grad_x
