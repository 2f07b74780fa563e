# ---
# about: VGG as named blocks in blocks, each made by its own call of features.
# blind: true
# ---

# %% solution="vgg"
import itertools


def vgg(depth, classes=1000, batch_norm=False, width=64):
    from collections import OrderedDict

    parts, channels = OrderedDict(), 3
    for number, times in enumerate(BLOCKS[depth]):
        filters = width << min(number, 3)
        parts[f"block{number}"] = features([filters] * times + ["M"], channels, batch_norm)
        channels = filters
    parts["squeeze"] = nn.Sequential(nn.AdaptiveAvgPool2d((7, 7)), nn.Flatten(start_dim=1))
    sizes = [49 * channels, 64 * width, 64 * width, classes]
    for number, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
        parts[f"dense{number}"] = nn.Linear(inputs, outputs)
        if number < 2:
            parts[f"rest{number}"] = nn.Sequential(nn.ReLU(inplace=True), nn.Dropout())
    return nn.Sequential(parts)
