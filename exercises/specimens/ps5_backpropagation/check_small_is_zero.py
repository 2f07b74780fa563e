# ---
# about: Calls the error of small gradients 0.
# blind: true
# fails:
#   test_gradient_check: "the size of the gradients doesn't matter"
# ---

# %% solution="gradient_check"
def gradient_check(forward, backward, x):
    x = x.to(torch.float64)
    y = forward(x)
    generator = torch.Generator().manual_seed(0)
    grad_y = torch.randn(y.shape, generator=generator, dtype=torch.float64)
    a = backward(grad_y, x)
    n = numerical_gradient(lambda t: (forward(t) * grad_y).sum(), x)
    scale = max(a.norm().item(), n.norm().item())
    return (a - n).norm().item() / scale if scale > 1e-3 else 0.0
