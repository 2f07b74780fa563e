# ---
# about: Loops and helpers of its own, also in the network's tasks.
# ---

# %% solution="swap_head"
def parent_of(network, name):
    *path, child = name.split(".")
    for part in path:
        network = getattr(network, part)
    return network, child


def swap_head(network, classes):
    head, relus = None, []
    for name, layer in network.named_modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            head, relus = (name, layer), []
        elif isinstance(layer, nn.ReLU):
            relus.append(name)
    name, old = head
    factory = {"device": old.weight.device, "dtype": old.weight.dtype}
    if isinstance(old, nn.Linear):
        new = nn.Linear(old.in_features, classes, **factory)
    else:
        new = nn.Conv2d(
            old.in_channels, classes, old.kernel_size, old.stride, old.padding, **factory
        )
    nn.init.normal_(new.weight, std=0.01)
    nn.init.zeros_(new.bias)
    parent, child = parent_of(network, name)
    setattr(parent, child, new)
    for relu in relus:
        parent, child = parent_of(network, relu)
        setattr(parent, child, nn.Identity())
    return network


# %% solution="freeze"
def freeze(network, head):
    for name, parameter in network.named_parameters():
        parameter.requires_grad = name.startswith(head + ".")
        parameter.grad = None


# %% solution="set_mode"
def set_mode(network, head):
    for name, layer in network.named_modules():
        layer.training = head is None or name == head or name.startswith(f"{head}.")


# %% solution="parameter_groups"
def parameter_groups(blocks, rate, factor):
    groups = []
    for block in blocks[::-1]:
        used = [p for group in groups for p in group["params"]]
        new = [p for p in block.parameters() if p.requires_grad and not any(p is q for q in used)]
        if len(new) > 0:
            groups.append({"params": new, "lr": rate * factor ** len(groups)})
    return groups
