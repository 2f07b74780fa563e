# ---
# about: batch_norm is not handed on.
# fails:
#   test_vgg: expected BatchNorm2d, got ReLU
# ---

# %% solution="vgg"
def vgg(depth, classes=1000, batch_norm=False, width=64):
    """VGG-11, 13, 16 or 19, from pictures (N, 3, H, W) to logits (N, classes)."""
    plan = []
    for convolutions, factor in zip(BLOCKS[depth], (1, 2, 4, 8, 8), strict=True):
        plan += [factor * width] * convolutions + ["M"]
    units = 64 * width
    return nn.Sequential(
        *features(plan),
        *(nn.AdaptiveAvgPool2d(7), nn.Flatten()),
        *(nn.Linear(49 * 8 * width, units), nn.ReLU(), nn.Dropout(0.5)),
        *(nn.Linear(units, units), nn.ReLU(), nn.Dropout(0.5)),
        nn.Linear(units, classes),
    )
