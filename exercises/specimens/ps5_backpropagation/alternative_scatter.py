# ---
# about: Max pooling without loops over images and channels, by unfold and scatter_add.
# ---

# %% solution="max_pool2d"
def max_pool2d(x, kernel, stride):
    windows = x.unfold(2, kernel, stride).unfold(3, kernel, stride)
    return windows.amax(dim=(-2, -1))


# %% solution="max_pool2d_backward"
def max_pool2d_backward(grad_y, x, kernel, stride):
    places = torch.arange(x[0, 0].numel(), device=x.device).view(x.shape[2:])
    places = places.unfold(0, kernel, stride).unfold(1, kernel, stride).flatten(2)
    windows = x.unfold(2, kernel, stride).unfold(3, kernel, stride).flatten(4)
    winners = windows.argmax(dim=-1, keepdim=True)
    targets = places.expand(*winners.shape[:4], -1).gather(-1, winners)
    grad_x = torch.zeros_like(x).flatten(2)
    return grad_x.scatter_add(2, targets.flatten(2), grad_y.flatten(2)).view(x.shape)
