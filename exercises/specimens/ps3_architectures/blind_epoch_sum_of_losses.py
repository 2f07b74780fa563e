# ---
# about: Divides the sum of a batch by 16, so that a last small batch counts less.
# blind: true
# fails:
#   test_train_epoch: All batches, each with its own gradients and labels; Adam remembers
# ---

# %% solution="train_epoch"
def train_epoch(model, images, labels, memory, rate, seed):
    model.train()
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(images), generator=generator)
    for piece in order.split(16):
        loss = F.cross_entropy(model(images[piece]), labels[piece], reduction="sum") / 16
        named = dict(model.named_parameters())
        gradients = torch.autograd.grad(loss, list(named.values()))
        for (name, parameter), gradient in zip(named.items(), gradients, strict=True):
            value = parameter.detach()
            state = memory.get(name, adam_start(value))
            new, memory[name] = adam_step(value, gradient, state, rate)
            with torch.no_grad():
                parameter.copy_(new)
