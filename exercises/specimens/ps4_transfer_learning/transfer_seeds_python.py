# ---
# about: Seeds Python's global generator for an augmentation.
# fails:
#   test_transfer: "Python's global random generator"
# ---

# %% solution="transfer"
import random


def transfer(images, labels, classes, seed):
    """A pretrained network, trained to name `classes` kinds of things; see above."""
    random.seed(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = swap_head(squeezenet(), classes).to(images.device)
    if random.random() < 0.5:
        images = images.flip(-1)
    freeze(network, "classifier.1")
    groups = parameter_groups([network.features, network.classifier], rate=6e-3, factor=0.1)
    train(network, torch.optim.Adam(groups), images, labels, 4, 16, seed, "classifier.1")
    return network
