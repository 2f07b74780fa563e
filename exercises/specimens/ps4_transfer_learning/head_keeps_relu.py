# ---
# about: Leaves the ReLU behind the head.
# fails:
#   test_swap_head_convolution: "The ReLU behind the head has to go."
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
    changes = {name: new.to(old.weight)}
    for name, layer in changes.items():
        parent, _, child = name.rpartition(".")
        setattr(network.get_submodule(parent), child, layer)
    return network
