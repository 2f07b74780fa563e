# ---
# about: A forward difference, whose error shrinks like eps and not like eps squared.
# fails:
#   test_numerical_gradient: look to both sides
# ---

# %% solution="numerical_gradient"
def numerical_gradient(f, x, eps=1e-6):
    x = x.to(torch.float64)
    gradient = torch.zeros_like(x)
    for index in np.ndindex(*x.shape):
        up = x.clone()
        up[index] += eps
        gradient[index] = (f(up) - f(x)) / eps
    return gradient
