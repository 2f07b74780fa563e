# ---
# about: Calls the model with values beside it, and writes them into it after each batch.
# blind: true
# ---

# %% solution="train_epoch"
def train_epoch(model, images, labels, memory, rate, seed):
    generator = torch.Generator()
    generator.manual_seed(seed)
    left = torch.randperm(len(images), generator=generator)
    model.train(True)
    while len(left):
        piece, left = left[:16], left[16:]
        values = {name: one.detach().clone() for name, one in model.named_parameters()}
        for value in values.values():
            value.requires_grad_()
        logits = torch.func.functional_call(model, values, (images[piece],))
        gradients = torch.autograd.grad(F.cross_entropy(logits, labels[piece]), values.values())
        with torch.no_grad():
            for (name, value), gradient in zip(values.items(), gradients, strict=True):
                if name not in memory:
                    memory[name] = adam_start(value)
                new, memory[name] = adam_step(value, gradient, memory[name], rate=rate)
                model.get_parameter(name).copy_(new)
