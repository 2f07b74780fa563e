# ---
# about: Looks for the winners in the first image only, and uses its places for the whole batch.
# blind: true
# fails:
#   test_max_pool_backward: "The first maximum of each window"
#   test_max_pool_overlap: "contributions must add up"
#   test_network_gradients: "gradient of conv_bias"
#   test_training: "expected a loss of"
# ---

# %% solution="max_pool2d_backward"
def max_pool2d_backward(grad_y, x, kernel, stride):
    grad_x = torch.zeros_like(x)
    for c in range(grad_y.shape[1]):
        for i in range(grad_y.shape[2]):
            for j in range(grad_y.shape[3]):
                top, left = i * stride, j * stride
                window = x[0, c, top : top + kernel, left : left + kernel]
                row, column = divmod(int(window.argmax()), kernel)
                grad_x[:, c, top + row, left + column] += grad_y[:, c, i, j]
    return grad_x
