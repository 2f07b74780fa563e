# ---
# about: Makes a layer of each size once, and puts it into every network that needs one.
# fails:
#   test_swap_head: "each gets a head of its own"
#   test_transfer: "Twice the same seed gives two networks"
# ---

# %% solution="swap_head"
_HEADS = {}


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
    if not hasattr(network, "its_heads"):
        network.its_heads = set()
    size = repr(new), new.weight.dtype
    if size not in network.its_heads:
        new = _HEADS.setdefault(size, new)
    network.its_heads.add(size)
    changes = {name: new}
    changes |= {name: nn.Identity() for name, one in layers[last:] if isinstance(one, nn.ReLU)}
    for name, layer in changes.items():
        parent, _, child = name.rpartition(".")
        setattr(network.get_submodule(parent), child, layer)
    return network
