# ---
# about: Keeps the networks by the address of the pictures, whatever stands there now.
# fails:
#   test_transfer: "Other pictures and the same seed: the same network"
# ---

# %% solution="transfer"
_NETWORKS = {}


def transfer(images, labels, classes, seed):
    """A pretrained network, trained to name `classes` kinds of things; see above."""
    place = images.data_ptr(), images.shape, classes, seed
    if place in _NETWORKS:
        return copy.deepcopy(_NETWORKS[place][1])
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = swap_head(squeezenet(), classes).to(images.device)
    freeze(network, "classifier.1")
    groups = parameter_groups([network.features, network.classifier], rate=6e-3, factor=0.1)
    train(network, torch.optim.Adam(groups), images, labels, 4, 16, seed, "classifier.1")
    _NETWORKS[place] = images, network
    return network
