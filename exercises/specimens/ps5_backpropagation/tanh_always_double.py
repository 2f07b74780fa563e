# ---
# about: Computes in double precision to be safe, and never converts back to the dtype given.
# blind: true
# fails:
#   test_tanh_backward: "expected torch.float32"
#   test_network_gradients: "torch.float32"
# ---

# %% solution="tanh_backward"
def tanh_backward(grad_y, x):
    y = torch.tanh(x.double())
    return grad_y * (1 - y**2)
