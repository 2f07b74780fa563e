# ---
# about: The new layer has a bias only if the old head had one.
# blind: true
# fails:
#   test_swap_head: " "
# ---

# %% solution="swap_head"
def swap_head(network, classes):
    """Give a network a new last layer with `classes` outputs, in place; returns the network."""
    layers = list(network.named_modules())
    at = max(i for i, (_, m) in enumerate(layers) if isinstance(m, (nn.Linear, nn.Conv2d)))
    name, old = layers[at]
    bias = old.bias is not None
    if isinstance(old, nn.Linear):
        new = nn.Linear(old.in_features, classes, bias=bias)
    else:
        new = nn.Conv2d(
            old.in_channels, classes, old.kernel_size, old.stride, old.padding, bias=bias
        )
    new = new.to(old.weight)
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, new)
    for name, m in layers[at + 1 :]:
        if isinstance(m, nn.ReLU):
            parent, _, child = name.rpartition(".")
            setattr(network.get_submodule(parent), child, nn.Identity())
    return network
