# ---
# about: Leaves the bias out where batch norm follows, as ResNet does.
# fails:
#   test_features: each convolution has a bias
#   test_vgg: the shape of parameter
#   test_training: in loading state_dict
# ---

# %% solution="features"
def features(plan, channels=3, batch_norm=False):
    """The layers of a plan such as [64, "M", 128], as a flat nn.Sequential."""
    layers = []
    for entry in plan:
        if entry == "M":
            layers.append(nn.MaxPool2d(2))
            continue
        layers.append(nn.Conv2d(channels, entry, 3, padding=1, bias=not batch_norm))
        if batch_norm:
            layers.append(nn.BatchNorm2d(entry))
        layers.append(nn.ReLU())
        channels = entry
    return nn.Sequential(*layers)
