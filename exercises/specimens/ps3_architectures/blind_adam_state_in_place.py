# ---
# about: Moves the averages in the state that it got.
# blind: true
# fails:
#   test_adam: an input was changed
# ---

# %% solution="adam_step"
def adam_step(value, gradient, state, rate=0.001, betas=(0.9, 0.999), eps=1e-8):
    m, v, steps = state
    steps = steps + 1
    m.mul_(betas[0]).add_((1 - betas[0]) * gradient)
    v.mul_(betas[1]).add_((1 - betas[1]) * gradient**2)
    m_hat, v_hat = m / (1 - betas[0] ** steps), v / (1 - betas[1] ** steps)
    return value - rate * m_hat / (torch.sqrt(v_hat) + eps), (m, v, steps)
