# ---
# about: Every convolution takes as many channels as the picture has.
# fails:
#   test_features: to have 3 channels
#   test_vgg: VGG-16 has 138,357,544 parameters
#   test_training: to have 3 channels
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
        if batch_norm:
            layers.append(nn.BatchNorm2d(entry))
        layers.append(nn.ReLU())
    return nn.Sequential(*layers)
