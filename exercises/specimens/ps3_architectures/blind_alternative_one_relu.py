# ---
# about: One ReLU and one pool, which have no weights, serve everywhere.
# blind: true
# ---

# %% solution="features"
def features(plan, channels=3, batch_norm=False):
    relu, pool = nn.ReLU(), nn.MaxPool2d(kernel_size=(2, 2), stride=(2, 2))
    network = nn.Sequential()
    for before, entry in enumerate(plan):
        if entry == "M":
            network.append(pool)
            continue
        numbers = [channels, *(one for one in plan[:before] if one != "M")]
        network.append(nn.Conv2d(numbers[-1], entry, (3, 3), padding="same"))
        if batch_norm:
            network.append(nn.BatchNorm2d(entry))
        network.append(relu)
    return network
