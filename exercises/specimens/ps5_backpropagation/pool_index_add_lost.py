# ---
# about: Adds with +=, but over all winners at once; repeated indices then count only once.
# fails:
#   test_max_pool_overlap: contributions must add up
# ---

# %% solution="max_pool2d_backward"
def max_pool2d_backward(grad_y, x, kernel, stride):
    windows = x.unfold(2, kernel, stride).unfold(3, kernel, stride).flatten(4)
    winner = windows.argmax(dim=-1)
    places = [torch.arange(size, device=x.device) for size in winner.shape]
    rows = winner // kernel + stride * places[2][:, None]
    columns = winner % kernel + stride * places[3]
    images = places[0][:, None, None, None]
    channels = places[1][:, None, None]
    grad_x = torch.zeros_like(x)
    grad_x[images, channels, rows, columns] += grad_y
    return grad_x
