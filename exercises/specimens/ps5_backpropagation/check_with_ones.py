# ---
# about: Checks with an upstream gradient of ones, under which a forgotten grad_y goes unseen.
# fails:
#   test_gradient_check: is your grad_y all ones
# ---

# %% solution="gradient_check"
def gradient_check(forward, backward, x):
    x = x.to(torch.float64)
    grad_y = torch.ones_like(forward(x))
    analytic = backward(grad_y, x)
    numerical = numerical_gradient(lambda t: (forward(t) * grad_y).sum(), x)
    scale = max(analytic.norm(), numerical.norm()).item()
    return (analytic - numerical).norm().item() / scale if scale > 0 else 0.0
