# ---
# about: Makes no step for a parameter whose gradient is zero in a batch.
# blind: true
# fails:
#   test_train_epoch: Adam remembers
# ---

# %% solution="train_epoch"
def train_epoch(model, images, labels, memory, rate, seed):
    model.train()
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(images), generator=generator)
    for piece in order.split(16):
        loss = F.cross_entropy(model(images[piece]), labels[piece])
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        with torch.no_grad():
            for (name, p), g in zip(model.named_parameters(), gradients, strict=True):
                if g.count_nonzero() == 0:
                    continue
                new, memory[name] = adam_step(p, g, memory.get(name, adam_start(p)), rate)
                p.copy_(new)
