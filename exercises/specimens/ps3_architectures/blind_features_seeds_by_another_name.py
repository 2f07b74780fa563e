# ---
# about: Seeds the global generator inside, by a name of its own, so that weights repeat.
# blind: true
# fails:
#   test_features: generator was seeded
#   test_vgg: generator was seeded
#   test_training: generator was seeded
# ---

# %% solution="features"
def features(plan, channels=3, batch_norm=False):
    from torch import manual_seed as start_again

    start_again(0)
    layers = []
    for entry in plan:
        if entry == "M":
            layers.append(nn.MaxPool2d(2))
            continue
        layers.append(nn.Conv2d(channels, entry, 3, padding=1))
        if batch_norm:
            layers.append(nn.BatchNorm2d(entry))
        layers.append(nn.ReLU())
        channels = entry
    return nn.Sequential(*layers)
