# ---
# about: Its pools also look at a last odd row or column (ceil_mode).
# blind: true
# fails:
#   test_features: pools 2 × 2 with stride 2
#   test_vgg: the logits for
# ---

# %% solution="features"
def features(plan, channels=3, batch_norm=False):
    layers = []
    for entry in plan:
        if entry == "M":
            layers.append(nn.MaxPool2d(2, ceil_mode=True))
            continue
        layers.append(nn.Conv2d(channels, entry, 3, padding=1))
        if batch_norm:
            layers.append(nn.BatchNorm2d(entry))
        layers.append(nn.ReLU())
        channels = entry
    return nn.Sequential(*layers)
