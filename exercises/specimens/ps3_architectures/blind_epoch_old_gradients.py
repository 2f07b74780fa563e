# ---
# about: Empties the gradients after each step, but not those that the model came with.
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
        loss = F.cross_entropy(model(images[piece]), labels[piece])
        named = dict(model.named_parameters())
        loss.backward()
        gradients = [parameter.grad.clone() for parameter in named.values()]
        model.zero_grad()
        for (name, parameter), gradient in zip(named.items(), gradients, strict=True):
            value = parameter.detach()
            state = memory.get(name, adam_start(value))
            new, memory[name] = adam_step(value, gradient, state, rate)
            with torch.no_grad():
                parameter.copy_(new)
