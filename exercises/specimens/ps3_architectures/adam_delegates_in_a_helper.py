# ---
# about: A helper beside the function lets torch.optim make the step.
# fails:
#   test_adam: "does a step of yours (optimiser)"
#   test_train_epoch: "does a step of yours (optimiser)"
#   test_training: "does a step of yours (optimiser)"
# ---

# %% solution="adam_step"
def one_step(value, gradient, state, rate, betas, eps):
    leaf = value.clone().requires_grad_()
    leaf.grad = gradient.clone()
    optimiser = torch.optim.Adam([leaf], lr=rate, betas=betas, eps=eps)
    known = {"step": torch.tensor(float(state[2])), "exp_avg": state[0].clone()}
    known["exp_avg_sq"] = state[1].clone()
    optimiser.state[leaf] = known
    optimiser.step()
    return leaf.detach(), (known["exp_avg"], known["exp_avg_sq"], state[2] + 1)


def adam_step(value, gradient, state, rate=0.001, betas=(0.9, 0.999), eps=1e-8):
    return one_step(value, gradient, state, rate, betas, eps)
