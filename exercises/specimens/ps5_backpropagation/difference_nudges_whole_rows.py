# ---
# about: Loops over the first dimension only, so that a whole row is nudged at once.
# blind: true
# fails:
#   test_numerical_gradient: "default eps"
#   test_gradient_check: "a right backward got"
# ---

# %% solution="numerical_gradient"
def numerical_gradient(f, x, eps=1e-6):
    x = x.to(torch.float64)
    grad = torch.zeros_like(x)
    for i in range(len(x)):
        up, down = x.clone(), x.clone()
        up[i] += eps
        down[i] -= eps
        grad[i] = (f(up) - f(down)) / (2 * eps)
    return grad
