# ---
# about: Nudges by eps * max(1, |x|), which is not the eps that was asked for.
# blind: true
# fails:
#   test_numerical_gradient: "Nudge by the eps that you are given"
# ---

# %% solution="numerical_gradient"
def numerical_gradient(f, x, eps=1e-6):
    x = x.to(torch.float64)
    result = torch.zeros_like(x)
    for index in np.ndindex(*x.shape):
        step = eps * max(1.0, abs(x[index].item()))
        up, down = x.clone(), x.clone()
        up[index] += step
        down[index] -= step
        result[index] = (float(f(up)) - float(f(down))) / (2 * step)
    return result
