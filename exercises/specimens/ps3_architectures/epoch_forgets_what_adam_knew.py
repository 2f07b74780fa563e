# ---
# about: Begins every epoch with an empty memory.
# fails:
#   test_train_epoch: All batches, each with its own gradients and labels
#   test_training: the photographs of seed
# ---

# %% solution="train_epoch"
def train_epoch(model, images, labels, memory, rate, seed):
    """One epoch of Adam in batches of 16; changes model and memory, returns nothing."""
    model.train()
    memory.clear()
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    names, parameters = zip(*model.named_parameters(), strict=True)
    for batch in order.split(16):
        loss = F.cross_entropy(model(images[batch]), labels[batch])
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for name, parameter, gradient in zip(names, parameters, gradients, strict=True):
                state = memory.get(name, adam_start(parameter))
                value, memory[name] = adam_step(parameter, gradient, state, rate)
                parameter.copy_(value)
