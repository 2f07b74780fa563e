# ---
# about: Takes the last linear layer if there is any, though a convolution may come after it.
# blind: true
# fails:
#   test_swap_head_convolution: "a linear layer, then a convolution: 0 is another object"
# ---

# %% solution="swap_head"
def swap_head(network, classes):
    """Give a network a new last layer with `classes` outputs, in place; returns the network."""
    layers = list(network.named_modules())
    found = [i for i, (_, m) in enumerate(layers) if isinstance(m, nn.Linear)]
    if not found:
        found = [i for i, (_, m) in enumerate(layers) if isinstance(m, nn.Conv2d)]
    at = found[-1]
    name, old = layers[at]
    if isinstance(old, nn.Linear):
        new = nn.Linear(old.in_features, classes)
    else:
        new = nn.Conv2d(old.in_channels, classes, old.kernel_size, old.stride, old.padding)
    new = new.to(old.weight)
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, new)
    for name, m in layers[at + 1 :]:
        if isinstance(m, nn.ReLU):
            parent, _, child = name.rpartition(".")
            setattr(network.get_submodule(parent), child, nn.Identity())
    return network
