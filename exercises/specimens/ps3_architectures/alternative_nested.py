# ---
# about: A nested network, hooks for the table, and unlucky names.
# ---

# %% solution="features"
def features(plan, channels=3, batch_norm=False):
    def block(inputs, filters):
        yield nn.Conv2d(inputs, filters, kernel_size=(3, 3), stride=1, padding="same")
        if batch_norm:
            yield nn.BatchNorm2d(filters)
        yield nn.ReLU(inplace=True)

    network = nn.Sequential()
    for entry in plan:
        if isinstance(entry, str):
            network.append(nn.MaxPool2d(kernel_size=2, stride=2))
        else:
            for layer in block(channels, entry):
                network.append(layer)
            channels = entry
    return network


# %% solution="vgg"
def vgg(depth, classes=1000, batch_norm=False, width=64):
    filters = [width, 2 * width, 4 * width, 8 * width, 8 * width]
    plan = [e for f, n in zip(filters, BLOCKS[depth], strict=True) for e in [f] * n + ["M"]]
    sizes = [49 * filters[-1], 64 * width, 64 * width]
    dense = nn.Sequential()
    for size, units in ((sizes[0], sizes[1]), (sizes[1], sizes[2])):
        dense.extend([nn.Linear(size, units), nn.ReLU(True), nn.Dropout()])
    dense.append(nn.Linear(sizes[-1], classes))
    pool = nn.AdaptiveAvgPool2d((7, 7))
    return nn.Sequential(features(plan, 3, batch_norm), pool, nn.Flatten(1), dense)


# %% solution="layer_table"
def layer_table(network, shape):
    work = copy.deepcopy(network)
    work.eval()
    rows = []

    def note(layer, inputs, output):
        parameters = sum(p.numel() for p in layer.parameters())
        rows.append(Row(layer.__class__.__name__, tuple(output.shape)[1:], parameters))

    for layer in work.modules():
        if not isinstance(layer, nn.Sequential):
            layer.register_forward_hook(note)
    optim = list(work.parameters())
    x = torch.zeros((1, *shape))
    if optim:
        x = x.to(optim[0])
    with torch.inference_mode():
        work(x)
    return rows


# %% solution="adam_step"
def adam_step(value, gradient, state, rate=0.001, betas=(0.9, 0.999), eps=1e-8):
    m, v, sgd = state
    sgd += 1
    m = torch.lerp(m, gradient, 1 - betas[0])
    v = betas[1] * v + (1 - betas[1]) * gradient * gradient
    size = (v / (1 - betas[1] ** sgd)).sqrt() + eps
    return value - rate / (1 - betas[0] ** sgd) * m / size, (m, v, sgd)
