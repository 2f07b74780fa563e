# ---
# about: "Right: looks for the parents by walking through all children, and makes the layer on
#   its device at once."
# blind: true
# ---

# %% solution="swap_head"
def _slots(module):
    """All (parent, key, layer) below a module, in the order of named_modules."""
    for key, layer in module.named_children():
        yield module, key, layer
        yield from _slots(layer)


def swap_head(network, classes):
    """Give a network a new last layer with `classes` outputs, in place; returns the network."""
    slots = list(_slots(network))
    last = None
    for place, (_, _, layer) in enumerate(slots):
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            last = place
    parent, key, old = slots[last]
    where = {"device": old.weight.device, "dtype": old.weight.dtype}
    if isinstance(old, nn.Linear):
        fresh = nn.Linear(old.in_features, classes, bias=True, **where)
    else:
        fresh = nn.Conv2d(
            old.in_channels,
            classes,
            kernel_size=old.kernel_size,
            stride=old.stride,
            padding=old.padding,
            **where,
        )
    parent._modules[key] = fresh
    for holder, name, layer in slots[last + 1 :]:
        if isinstance(layer, nn.ReLU):
            holder._modules[name] = nn.Identity()
    return network
