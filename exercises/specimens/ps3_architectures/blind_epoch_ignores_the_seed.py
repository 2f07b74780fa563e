# ---
# about: Shuffles with seed 0 in each epoch.
# blind: true
# fails:
#   test_train_epoch: All batches, each with its own gradients and labels; Adam remembers
#   test_training: the photographs of seed
# ---

# %% solution="train_epoch"
def train_epoch(model, images, labels, memory, rate, seed):
    model.train()
    generator = torch.Generator().manual_seed(0)
    order = torch.randperm(len(images), generator=generator)
    for piece in order.split(16):
        loss = F.cross_entropy(model(images[piece]), labels[piece])
        named = dict(model.named_parameters())
        gradients = torch.autograd.grad(loss, list(named.values()))
        for (name, parameter), gradient in zip(named.items(), gradients, strict=True):
            value = parameter.detach()
            state = memory.get(name, adam_start(value))
            new, memory[name] = adam_step(value, gradient, state, rate)
            with torch.no_grad():
                parameter.copy_(new)
