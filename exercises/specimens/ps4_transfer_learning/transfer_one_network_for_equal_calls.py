# ---
# about: Keeps the networks by what they were trained with, and hands out the same one again.
# fails:
#   test_transfer: "two calls gave the same network"
# ---

# %% solution="transfer"
_NETWORKS = {}


def transfer(images, labels, classes, seed):
    """A pretrained network, trained to name `classes` kinds of things; see above."""
    known = hash((*images.flatten().tolist(), *labels.tolist(), classes, seed))
    if known in _NETWORKS:
        return _NETWORKS[known]
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = swap_head(squeezenet(), classes).to(images.device)
    freeze(network, "classifier.1")
    groups = parameter_groups([network.features, network.classifier], rate=6e-3, factor=0.1)
    train(network, torch.optim.Adam(groups), images, labels, 4, 16, seed, "classifier.1")
    _NETWORKS[known] = network
    return network
