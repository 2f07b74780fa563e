# ---
# about: Compares the two gradients' lengths, which says nothing about their directions.
# fails:
#   test_gradient_check: wrong sign
# ---

# %% solution="gradient_check"
def gradient_check(forward, backward, x):
    shape = forward(x).shape
    grad_y = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    analytic = backward(grad_y, x).norm().item()
    numerical = numerical_gradient(lambda t: (forward(t) * grad_y).sum(), x).norm().item()
    scale = max(analytic, numerical)
    return abs(analytic - numerical) / scale if scale > 0 else 0.0
