# ---
# about: Takes the entries out of the list that it was lent.
# fails:
#   test_features: an input was changed
#   test_training: an input was changed
# ---

# %% solution="features"
def features(plan, channels=3, batch_norm=False):
    layers = []
    if isinstance(plan, tuple):
        plan = list(plan)
    while plan:
        entry = plan.pop(0)
        if entry == "M":
            layers.append(nn.MaxPool2d(2))
            continue
        layers.append(nn.Conv2d(channels, entry, 3, padding=1))
        layers += [nn.BatchNorm2d(entry), nn.ReLU()] if batch_norm else [nn.ReLU()]
        channels = entry
    return nn.Sequential(*layers)
