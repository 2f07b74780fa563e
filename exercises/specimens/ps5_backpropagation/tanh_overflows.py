# ---
# about: Writes tanh out with two exponentials, so that a large x gives inf / inf, which is nan.
# blind: true
# fails:
#   test_tanh_backward: "overflows"
# ---

# %% solution="tanh_backward"
def tanh_backward(grad_y, x):
    up, down = torch.exp(x), torch.exp(-x)
    y = (up - down) / (up + down)
    return grad_y * (1 - y**2)
