# ---
# about: Puts a layer behind the old head.
# fails:
#   test_swap_head: "'Sequential' object has no attribute 'weight'"
#   test_swap_head_convolution: "cannot be multiplied"
#   test_transfer: "cannot be multiplied"
# ---

# %% solution="swap_head"
def swap_head(network, classes):
    """Give a network a new last layer with `classes` outputs, in place; returns the network."""
    layers = list(network.named_modules())
    last = max(n for n, (_, one) in enumerate(layers) if isinstance(one, nn.Linear | nn.Conv2d))
    name, old = layers[last]
    changes = {
        name: nn.Sequential(old, nn.Linear(getattr(old, "out_features", 1), classes).to(old.weight))
    }
    changes |= {name: nn.Identity() for name, one in layers[last:] if isinstance(one, nn.ReLU)}
    for name, layer in changes.items():
        parent, _, child = name.rpartition(".")
        setattr(network.get_submodule(parent), child, layer)
    return network
