# ---
# about: Takes a convolution of 1 × 1, whatever the old one was.
# fails:
#   test_swap_head_convolution: "a head Conv2d(5, 8, {'kernel_size': (3, 2), 'stride': ("
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
        shape = {"kernel_size": 1}
        new = nn.Conv2d(old.in_channels, classes, **shape)
    changes = {name: new.to(old.weight)}
    changes |= {name: nn.Identity() for name, one in layers[last:] if isinstance(one, nn.ReLU)}
    for name, layer in changes.items():
        parent, _, child = name.rpartition(".")
        setattr(network.get_submodule(parent), child, layer)
    return network
