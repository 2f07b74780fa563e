# ---
# about: Gives every element of the window an equal share, as average pooling does.
# fails:
#   test_max_pool_backward: the rest gets nothing
#   test_max_pool_overlap: expected
#   test_network_gradients: look at the reshape, the pool and tanh
#   test_training: "step 1: expected a loss of"
# ---

# %% solution="max_pool2d_backward"
def max_pool2d_backward(grad_y, x, kernel, stride):
    grad_x = torch.zeros_like(x)
    for i, j in np.ndindex(*grad_y.shape[2:]):
        top, left = i * stride, j * stride
        share = grad_y[:, :, i, j, None, None] / kernel**2
        grad_x[:, :, top : top + kernel, left : left + kernel] += share
    return grad_x
