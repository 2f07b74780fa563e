# ---
# about: Leaves out the convolution's bias where a batch norm follows.
# blind: true
# fails:
#   test_features: expected ('0.bias', (4,)), got ('1.weight', (4,))
#   test_vgg: the shape of parameter
#   test_training: Unexpected key
# ---

# %% solution="features"
def features(plan, channels=3, batch_norm=False):
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
