# ---
# about: A new convolution always has a kernel of 1, as in SqueezeNet.
# blind: true
# fails:
#   test_swap_head_convolution: " "
# ---

# %% solution="swap_head"
def swap_head(network, classes):
    """Give a network a new last layer with `classes` outputs, in place; returns the network."""
    layers = list(network.named_modules())
    at = max(i for i, (_, m) in enumerate(layers) if isinstance(m, (nn.Linear, nn.Conv2d)))
    name, old = layers[at]
    if isinstance(old, nn.Linear):
        new = nn.Linear(old.in_features, classes)
    else:
        new = nn.Conv2d(old.in_channels, classes, 1, old.stride, old.padding)
    new = new.to(old.weight)
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, new)
    for name, m in layers[at + 1 :]:
        if isinstance(m, nn.ReLU):
            parent, _, child = name.rpartition(".")
            setattr(network.get_submodule(parent), child, nn.Identity())
    return network
