# ---
# about: Batch norm comes after the ReLU, not before it.
# fails:
#   test_features: expected BatchNorm2d, got ReLU
#   test_vgg: expected BatchNorm2d, got ReLU
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
        layers.append(nn.Conv2d(channels, entry, 3, padding=1))
        layers.append(nn.ReLU())
        if batch_norm:
            layers.append(nn.BatchNorm2d(entry))
        channels = entry
    return nn.Sequential(*layers)
