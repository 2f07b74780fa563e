# ---
# about: Removes ReLUs only in the block in which the head lies, not those in later blocks.
# blind: true
# fails:
#   test_swap_head_convolution: "expected an Identity for the ReLU 2.2.1, got ReLU"
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
        new = nn.Conv2d(old.in_channels, classes, old.kernel_size, old.stride, old.padding)
    new = new.to(old.weight)
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, new)
    after = False
    block = network.get_submodule(parent)
    for key, m in list(block.named_children()):
        if after and isinstance(m, nn.ReLU):
            setattr(block, key, nn.Identity())
        if m is new:
            after = True
    return network
