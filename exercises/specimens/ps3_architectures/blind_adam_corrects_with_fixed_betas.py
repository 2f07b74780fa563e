# ---
# about: Corrects with 0.9 and 0.999, whatever the betas are.
# blind: true
# fails:
#   test_adam: m and v are kept uncorrected; t counts from 1; eps stands outside the
# ---

# %% solution="adam_step"
def adam_step(value, gradient, state, rate=0.001, betas=(0.9, 0.999), eps=1e-8):
    m, v, steps = state
    steps = steps + 1
    m = betas[0] * m + (1 - betas[0]) * gradient
    v = betas[1] * v + (1 - betas[1]) * gradient**2
    m_hat, v_hat = m / (1 - 0.9**steps), v / (1 - 0.999**steps)
    return value - rate * m_hat / (torch.sqrt(v_hat) + eps), (m, v, steps)
