# ---
# about: Nudges by 1e-6 whatever eps the caller asks for.
# blind: true
# fails:
#   test_numerical_gradient: "Nudge by the eps that you are given"
# ---

# %% solution="numerical_gradient"
def numerical_gradient(f, x, eps=1e-6):
    x = x.to(torch.float64)
    grad = torch.zeros_like(x)
    eps = 1e-6
    for index in np.ndindex(*x.shape):
        up, down = x.clone(), x.clone()
        up[index] += eps
        down[index] -= eps
        grad[index] = (f(up) - f(down)) / (2 * eps)
    return grad
