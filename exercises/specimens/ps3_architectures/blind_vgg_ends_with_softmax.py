# ---
# about: Gives back probabilities, not logits; the parameters are right.
# blind: true
# fails:
#   test_vgg: expected nothing, got Softmax
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
        nn.Linear(49 * 8 * width, 64 * width),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(64 * width, 64 * width),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(64 * width, classes),
        nn.Softmax(dim=1),
    )
