# ---
# about: The backward pass of batch norm step by step, and loss.backward() in the epoch.
# ---

# %% solution="batch_norm_backward"
def batch_norm_backward(grad_y, x, gamma, running_mean, running_var, training, eps=1e-5):
    axes, shape = (0, 2, 3), (1, -1, 1, 1)
    if training:
        count = x.numel() // x.shape[1]
        mean = x.mean(axes, keepdim=True)
        var = ((x - mean) ** 2).mean(axes, keepdim=True)
    else:
        mean, var = running_mean.view(shape), running_var.view(shape)
    inverse = (var + eps) ** -0.5
    normal = (x - mean) * inverse
    grad_normal = grad_y * gamma.view(shape)
    grad_x = grad_normal * inverse
    if training:
        grad_var = (grad_normal * (x - mean)).sum(axes, keepdim=True) * -0.5 * inverse**3
        grad_mean = -(grad_normal * inverse).sum(axes, keepdim=True)
        grad_x = grad_x + grad_var * 2 * (x - mean) / count + grad_mean / count
    return grad_x, (grad_y * normal).sum(axes), grad_y.sum(axes)


# %% solution="train_epoch"
def train_epoch(model, images, labels, memory, rate, seed):
    model.train()
    generator = torch.Generator()
    generator.manual_seed(seed)
    order = torch.randperm(len(images), generator=generator)
    for start in range(0, len(images), 16):
        batch = order[start : start + 16]
        model.zero_grad()
        F.cross_entropy(model(images[batch]), labels[batch]).backward()
        for name, parameter in model.named_parameters():
            if name not in memory:
                memory[name] = adam_start(parameter.detach())
            gradient = parameter.grad.detach()
            new, memory[name] = adam_step(parameter.detach(), gradient, memory[name], rate)
            parameter.data.copy_(new)


# %% solution="fit"
def fit(model, train, measure, patience, most):
    losses, kept, at = [], None, -1
    while len(losses) < most and len(losses) - 1 - at < patience:
        train(model, len(losses))
        losses.append(measure(model))
        if at < 0 or losses[-1] < losses[at]:
            at = len(losses) - 1
            kept = {name: value.clone() for name, value in model.state_dict().items()}
    model.load_state_dict(kept)
    model.eval()
    return losses
