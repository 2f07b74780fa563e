# ---
# about: Adds with +=, but over all winners at once; repeated indices then count only once.
# fails:
#   test_max_pool_overlap: contributions must add up
# ---

# %% solution="max_pool2d_backward"
def max_pool2d_backward(grad_y, x, kernel, stride):
    n, c = x.shape[:2]
    windows = x.unfold(2, kernel, stride).unfold(3, kernel, stride).flatten(4)
    winner = windows.argmax(dim=-1)
    rows = winner // kernel + stride * torch.arange(winner.shape[2])[:, None]
    columns = winner % kernel + stride * torch.arange(winner.shape[3])
    images = torch.arange(n)[:, None, None, None]
    channels = torch.arange(c)[:, None, None]
    grad_x = torch.zeros_like(x)
    grad_x[images, channels, rows, columns] += grad_y
    return grad_x
