# ---
# about: Keeps the networks in a cache, so that two calls with one plan share their weights.
# blind: true
# fails:
#   test_features: weights of its own for each layer
#   test_training: the photographs of seed
#   test_vgg: weights of its own for each layer
# ---

# %% solution="features"
@cache
def build(plan, channels, batch_norm):
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


def features(plan, channels=3, batch_norm=False):
    return build(tuple(plan), channels, bool(batch_norm))
