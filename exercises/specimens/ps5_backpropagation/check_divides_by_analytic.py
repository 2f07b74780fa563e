# ---
# about: Scales with the backward's own norm, so that a backward of zeros counts as right.
# blind: true
# fails:
#   test_gradient_check: "Divide by the larger of the two norms"
# ---

# %% solution="gradient_check"
def gradient_check(forward, backward, x):
    shape = forward(x).shape
    grad_y = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    analytic = backward(grad_y, x)
    numerical = numerical_gradient(lambda t: (forward(t) * grad_y).sum(), x)
    scale = analytic.norm().item()
    if scale == 0:
        return 0.0
    return (analytic - numerical).norm().item() / scale
