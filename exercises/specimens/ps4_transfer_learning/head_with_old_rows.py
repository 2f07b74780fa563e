# ---
# about: Takes the first rows of the old weights for the new ones, and shares their memory.
# fails:
#   test_swap_head: "the new head has numbers of the old one"
#   test_swap_head_convolution: "the new head has numbers of the old one"
# ---

# %% solution="swap_head"
def swap_head(network, classes):
    """Give a network a new last layer with `classes` outputs, in place; returns the network."""
    layers = list(network.named_modules())
    last = max(n for n, (_, one) in enumerate(layers) if isinstance(one, nn.Linear | nn.Conv2d))
    name, old = layers[last]
    if isinstance(old, nn.Linear):
        new = nn.Linear(old.in_features, classes)
    else:
        shape = {"kernel_size": old.kernel_size, "stride": old.stride, "padding": old.padding}
        new = nn.Conv2d(old.in_channels, classes, **shape)
    new = new.to(old.weight)
    if classes <= len(old.weight):
        new.weight = nn.Parameter(old.weight.detach()[:classes])
    changes = {name: new}
    changes |= {name: nn.Identity() for name, one in layers[last:] if isinstance(one, nn.ReLU)}
    for name, layer in changes.items():
        parent, _, child = name.rpartition(".")
        setattr(network.get_submodule(parent), child, layer)
    return network
