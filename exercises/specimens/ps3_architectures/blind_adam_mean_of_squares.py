# ---
# about: Divides by one size for the whole tensor, not by one for each weight.
# blind: true
# fails:
#   test_adam: Its length is the rate, for both
#   test_train_epoch: All batches, each with its own gradients and labels; Adam remembers
#   test_training: the photographs of seed
# ---

# %% solution="adam_step"
def adam_step(value, gradient, state, rate=0.001, betas=(0.9, 0.999), eps=1e-8):
    m, v, steps = state
    steps = steps + 1
    m = betas[0] * m + (1 - betas[0]) * gradient
    v = betas[1] * v + (1 - betas[1]) * (gradient**2).mean()
    m_hat, v_hat = m / (1 - betas[0] ** steps), v / (1 - betas[1] ** steps)
    return value - rate * m_hat / (torch.sqrt(v_hat) + eps), (m, v, steps)
