# ---
# about: A helper of the student's own called slopes, for both tasks of part 1.
# ---

# %% solution="tanh_backward"
def slopes(x):
    return 1 - torch.tanh(x) ** 2


def tanh_backward(grad_y, x):
    return grad_y * slopes(x)


# %% solution="saturated_fraction"
def saturated_fraction(x, threshold=0.01):
    return (slopes(x) < threshold).double().mean().item()
