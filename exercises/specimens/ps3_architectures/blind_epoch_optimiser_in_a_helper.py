# ---
# about: Lets PyTorch's Adam make the steps, in a helper, and copies its averages.
# blind: true
# fails:
#   test_train_epoch: "does a step of yours (optimiser)"
#   test_training: "does a step of yours (optimiser)"
# ---

# %% solution="train_epoch"
def stepper(model, memory, rate):
    adam = torch.optim.Adam(model.parameters(), lr=rate)
    for name, parameter in model.named_parameters():
        if name in memory:
            m, v, steps = memory[name]
            count = torch.tensor(float(steps))
            adam.state[parameter] = {"step": count, "exp_avg": m, "exp_avg_sq": v}
    return adam


def train_epoch(model, images, labels, memory, rate, seed):
    model.train()
    stepping = stepper(model, memory, rate)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    for piece in order.split(16):
        stepping.zero_grad()
        F.cross_entropy(model(images[piece]), labels[piece]).backward()
        stepping.step()
    for name, parameter in model.named_parameters():
        kept = stepping.state[parameter]
        memory[name] = (kept["exp_avg"], kept["exp_avg_sq"], int(kept["step"]))
