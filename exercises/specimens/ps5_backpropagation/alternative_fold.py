# ---
# about: Max pooling with im2col (F.unfold) and its adjoint, F.fold, which adds up overlaps.
# ---

# %% solution="max_pool2d"
def max_pool2d(x, kernel, stride):
    n, c, height, width = x.shape
    columns = F.unfold(x.reshape(n * c, 1, height, width), kernel, stride=stride)
    rows = (height - kernel) // stride + 1
    return columns.max(dim=1).values.view(n, c, rows, -1)


# %% solution="max_pool2d_backward"
def max_pool2d_backward(grad_y, x, kernel, stride):
    n, c, height, width = x.shape
    columns = F.unfold(x.reshape(n * c, 1, height, width), kernel, stride=stride)
    winner = F.one_hot(columns.argmax(dim=1), kernel * kernel).transpose(1, 2)
    routed = winner.to(x.dtype) * grad_y.reshape(n * c, 1, -1)
    return F.fold(routed, (height, width), kernel, stride=stride).view_as(x)
