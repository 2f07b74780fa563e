# ---
# about: Makes each convolution once and uses it again where the plan repeats a number.
# fails:
#   test_features: Kernels are 3 × 3
#   test_vgg: VGG-16 has 138,357,544 parameters
# ---

# %% solution="features"
def features(plan, channels=3, batch_norm=False):
    made, layers = {}, []
    for entry in plan:
        if entry == "M":
            layers.append(nn.MaxPool2d(2))
            continue
        if (channels, entry) not in made:
            block = [nn.Conv2d(channels, entry, 3, padding=1)]
            block += [nn.BatchNorm2d(entry)] if batch_norm else []
            made[channels, entry] = [*block, nn.ReLU()]
        layers += made[channels, entry]
        channels = entry
    return nn.Sequential(*layers)
