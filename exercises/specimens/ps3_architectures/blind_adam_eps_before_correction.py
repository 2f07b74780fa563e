# ---
# about: Adds eps to the root of the uncorrected average, as the paper's short form does.
# blind: true
# fails:
#   test_adam: m and v are kept uncorrected; t counts from 1; eps stands outside the
#   test_train_epoch: All batches, each with its own gradients and labels; Adam remembers
#   test_training: the photographs of seed
# ---

# %% solution="adam_step"
def adam_step(value, gradient, state, rate=0.001, betas=(0.9, 0.999), eps=1e-8):
    m, v, steps = state
    steps = steps + 1
    m = betas[0] * m + (1 - betas[0]) * gradient
    v = betas[1] * v + (1 - betas[1]) * gradient**2
    rate = rate * (1 - betas[1] ** steps) ** 0.5 / (1 - betas[0] ** steps)
    return value - rate * m / (torch.sqrt(v) + eps), (m, v, steps)
