# ---
# about: Doubles the filters up to 512, which is 8 w for the paper's width only.
# blind: true
# fails:
#   test_vgg: the shape of parameter
# ---

# %% solution="vgg"
def vgg(depth, classes=1000, batch_norm=False, width=64):
    plan, filters = [], width
    for times in BLOCKS[depth]:
        plan += [filters] * times + ["M"]
        filters = min(2 * filters, 512)
    dense = 64 * width
    return nn.Sequential(
        features(plan, batch_norm=batch_norm),
        nn.AdaptiveAvgPool2d(7),
        nn.Flatten(),
        nn.Linear(49 * plan[-2], dense),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(dense, dense),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(dense, classes),
    )
