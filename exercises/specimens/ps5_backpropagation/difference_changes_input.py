# ---
# about: Nudges x itself and nudges it back, which rounding doesn't undo.
# fails:
#   test_numerical_gradient: "an input was changed"
#   test_gradient_check: "an input was changed"
# ---

# %% solution="numerical_gradient"
def numerical_gradient(f, x, eps=1e-6):
    x = x.to(torch.float64)
    gradient = torch.zeros_like(x)
    for index in np.ndindex(*x.shape):
        x[index] += eps
        up = float(f(x))
        x[index] -= 2 * eps
        gradient[index] = (up - float(f(x))) / (2 * eps)
        x[index] += eps
    return gradient
