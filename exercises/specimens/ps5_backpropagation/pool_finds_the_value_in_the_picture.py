# ---
# about: Looks for the maximum's value in the whole picture, where another window may have it too.
# blind: true
# fails:
#   test_max_pool_backward: "The first maximum of each window"
#   test_max_pool_overlap: "The first maximum of each window"
#   test_network_gradients: "tiles"
# ---

# %% solution="max_pool2d_backward"
def max_pool2d_backward(grad_y, x, kernel, stride):
    grad_x = torch.zeros_like(x)
    for n in range(x.shape[0]):
        for c in range(x.shape[1]):
            for i in range(grad_y.shape[2]):
                for j in range(grad_y.shape[3]):
                    top, left = i * stride, j * stride
                    window = x[n, c, top : top + kernel, left : left + kernel]
                    row, column = (x[n, c] == window.max()).nonzero()[0].tolist()
                    grad_x[n, c, row, column] += grad_y[n, c, i, j]
    return grad_x
