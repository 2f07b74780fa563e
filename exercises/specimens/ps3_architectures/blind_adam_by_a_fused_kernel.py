# ---
# about: Calls the kernel behind PyTorch's Adam, under its private name.
# blind: true
# fails:
#   test_adam: "does a step of yours (optimiser)"
#   test_train_epoch: "does a step of yours (optimiser)"
#   test_training: "does a step of yours (optimiser)"
# ---

# %% solution="adam_step"
def adam_step(value, gradient, state, rate=0.001, betas=(0.9, 0.999), eps=1e-8):
    new, m, v = value.detach().clone(), state[0].clone(), state[1].clone()
    count = torch.tensor(float(state[2] + 1))
    kernel = torch._fused_adam_
    kernel(
        [new], [gradient], [m], [v], [], [count],
        lr=rate, beta1=betas[0], beta2=betas[1], weight_decay=0.0, eps=eps,
        amsgrad=False, maximize=False,
    )  # fmt: skip
    return new, (m, v, state[2] + 1)
