# ---
# about: Adds eps under the root.
# fails:
#   test_adam: m and v are kept uncorrected
#   test_train_epoch: All batches, each with its own gradients and labels
#   test_training: the photographs of seed
# ---

# %% solution="adam_step"
def adam_step(value, gradient, state, rate=0.001, betas=(0.9, 0.999), eps=1e-8):
    """The new value and the new state (m, v, steps) of one parameter."""
    mean, square, steps = state
    steps = steps + 1
    mean = betas[0] * mean + (1 - betas[0]) * gradient
    square = betas[1] * square + (1 - betas[1]) * gradient**2
    mean_hat = mean / (1 - betas[0] ** steps)
    square_hat = square / (1 - betas[1] ** steps)
    value = value - rate * mean_hat / torch.sqrt(square_hat + eps)
    return value, (mean, square, steps)
