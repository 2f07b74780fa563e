# ---
# about: Counts the calls for all parameters together, and corrects with that number.
# blind: true
# fails:
#   test_adam: m and v are kept uncorrected; t counts from 1; eps stands outside the
#   test_train_epoch: the weights after one step
#   test_training: the photographs of seed
# ---

# %% solution="adam_step"
CALLS = []


def adam_step(value, gradient, state, rate=0.001, betas=(0.9, 0.999), eps=1e-8):
    m, v, steps = state
    CALLS.append(steps)
    steps = steps + 1
    m = betas[0] * m + (1 - betas[0]) * gradient
    v = betas[1] * v + (1 - betas[1]) * gradient**2
    m_hat, v_hat = m / (1 - betas[0] ** len(CALLS)), v / (1 - betas[1] ** len(CALLS))
    return value - rate * m_hat / (torch.sqrt(v_hat) + eps), (m, v, steps)
