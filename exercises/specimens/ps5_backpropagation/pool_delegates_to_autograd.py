# ---
# about: Lets autograd differentiate PyTorch's max pooling.
# fails:
#   test_max_pool_backward: write that step yourself
#   test_max_pool_overlap: write that step yourself
#   test_network_gradients: write that step yourself
#   test_training: write that step yourself
# ---

# %% solution="max_pool2d_backward"
def max_pool2d_backward(grad_y, x, kernel, stride):
    leaf = x.clone().requires_grad_()
    F.max_pool2d(leaf, kernel, stride).backward(grad_y)
    return leaf.grad
