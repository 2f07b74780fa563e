# ---
# about: Nudges float32 numbers by 1e-6, which is about their rounding error.
# fails:
#   test_numerical_gradient: Convert x to float64 before you nudge it
# ---

# %% solution="numerical_gradient"
def numerical_gradient(f, x, eps=1e-6):
    gradient = torch.zeros(x.shape, dtype=torch.float64)
    for index in np.ndindex(*x.shape):
        up, down = x.clone(), x.clone()
        up[index] += eps
        down[index] -= eps
        gradient[index] = (f(up) - f(down)) / (2 * eps)
    return gradient
