# ---
# about: Draws from the global generator.
# blind: true
# fails:
#   test_gradient_check: "draw from a generator of your own"
# ---

# %% solution="gradient_check"
def gradient_check(forward, backward, x):
    x = x.to(torch.float64)
    y = forward(x)
    grad_y = torch.randn(y.shape, dtype=torch.float64)
    a = backward(grad_y, x)
    n = numerical_gradient(lambda t: (forward(t) * grad_y).sum(), x)
    scale = max(a.norm().item(), n.norm().item())
    return (a - n).norm().item() / scale if scale > 0 else 0.0
