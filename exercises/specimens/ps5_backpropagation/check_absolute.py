# ---
# about: Returns the absolute difference, which says nothing without a scale.
# fails:
#   test_gradient_check: "twice the right gradient: expected 0.5"
# ---

# %% solution="gradient_check"
def gradient_check(forward, backward, x):
    shape = forward(x).shape
    grad_y = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    numerical = numerical_gradient(lambda t: (forward(t) * grad_y).sum(), x)
    return (backward(grad_y, x) - numerical).norm().item()
