# ---
# about: Knows heads called fc or classifier.1 only.
# fails:
#   test_swap_head: "The head is the last linear layer: (3, 5)."
#   test_swap_head_convolution: "The ReLU behind the head has to go."
# ---

# %% solution="swap_head"
def swap_head(network, classes):
    """Give a network a new last layer with `classes` outputs, in place; returns the network."""
    layers = list(network.named_modules())
    if hasattr(network, "fc"):
        network.fc = nn.Linear(network.fc.in_features, classes)
        return network
    if not hasattr(network, "classifier"):
        return network
    last = max(n for n, (_, one) in enumerate(layers) if isinstance(one, nn.Linear | nn.Conv2d))
    name, old = layers[last]
    if isinstance(old, nn.Linear):
        new = nn.Linear(old.in_features, classes)
    else:
        shape = {"kernel_size": old.kernel_size, "stride": old.stride, "padding": old.padding}
        new = nn.Conv2d(old.in_channels, classes, **shape)
    changes = {name: new.to(old.weight)}
    changes |= {name: nn.Identity() for name, one in layers[last:] if isinstance(one, nn.ReLU)}
    for name, layer in changes.items():
        parent, _, child = name.rpartition(".")
        setattr(network.get_submodule(parent), child, layer)
    return network
