# ---
# about: Seeds PyTorch's global generator before the new layer is made.
# blind: true
# fails:
#   test_swap_head_convolution: "PyTorch's global random generator"
#   test_swap_head: "PyTorch's global random generator"
# ---

# %% solution="swap_head"
def swap_head(network, classes):
    """Give a network a new last layer with `classes` outputs, in place; returns the network."""
    torch.manual_seed(0)  # the same head in each run
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
    for name, m in layers[at + 1 :]:
        if isinstance(m, nn.ReLU):
            parent, _, child = name.rpartition(".")
            setattr(network.get_submodule(parent), child, nn.Identity())
    return network
