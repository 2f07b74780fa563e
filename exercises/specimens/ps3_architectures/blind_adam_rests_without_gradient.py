# ---
# about: Makes no step where all gradients are 0, though the averages would move the weight.
# blind: true
# fails:
#   test_adam: expected 1 steps, got 0
#   test_train_epoch: the second batch is black
# ---

# %% solution="adam_step"
def adam_step(value, gradient, state, rate=0.001, betas=(0.9, 0.999), eps=1e-8):
    m, v, steps = state
    if not gradient.any():
        return value, state
    steps = steps + 1
    m = betas[0] * m + (1 - betas[0]) * gradient
    v = betas[1] * v + (1 - betas[1]) * gradient**2
    m_hat, v_hat = m / (1 - betas[0] ** steps), v / (1 - betas[1] ** steps)
    return value - rate * m_hat / (torch.sqrt(v_hat) + eps), (m, v, steps)
