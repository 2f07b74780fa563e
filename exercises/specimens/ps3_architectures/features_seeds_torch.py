# ---
# about: Seeds the global generator, so that every convolution starts alike.
# fails:
#   test_features: generator was seeded
#   test_vgg: generator was seeded
#   test_training: generator was seeded
# ---

# %% solution="features"
def features(plan, channels=3, batch_norm=False):
    """The layers of a plan such as [64, "M", 128], as a flat nn.Sequential."""
    layers = []
    for entry in plan:
        if entry == "M":
            layers.append(nn.MaxPool2d(2))
            continue
        torch.manual_seed(0)
        layers.append(nn.Conv2d(channels, entry, 3, padding=1))
        if batch_norm:
            layers.append(nn.BatchNorm2d(entry))
        layers.append(nn.ReLU())
        channels = entry
    return nn.Sequential(*layers)
