# ---
# about: Has 4096 dense units for each width.
# blind: true
# fails:
#   test_vgg: the shape of parameter
# ---

# %% solution="vgg"
def vgg(depth, classes=1000, batch_norm=False, width=64):
    plan = []
    for times, factor in zip(BLOCKS[depth], (1, 2, 4, 8, 8), strict=True):
        plan += [factor * width] * times + ["M"]
    return nn.Sequential(
        features(plan, batch_norm=batch_norm),
        nn.AdaptiveAvgPool2d(7),
        nn.Flatten(),
        nn.Linear(49 * 8 * width, 4096),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(4096, 4096),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(4096, classes),
    )
