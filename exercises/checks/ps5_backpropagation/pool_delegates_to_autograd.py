# ---
# about: Lets autograd differentiate PyTorch's max pooling.
# fails:
#   test_max_pool_backward: max_pool2d_backward uses backward, grad, max_pool2d
#   test_max_pool_overlap: max_pool2d_backward uses backward, grad, max_pool2d
#   test_network_gradients: does not require grad
# ---

# %% solution="max_pool2d_backward"
def max_pool2d_backward(grad_y, x, kernel, stride):
    leaf = x.clone().requires_grad_()
    F.max_pool2d(leaf, kernel, stride).backward(grad_y)
    return leaf.grad
