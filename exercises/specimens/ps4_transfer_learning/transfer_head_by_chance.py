# ---
# about: Draws the head's first weights from the global generator.
# fails:
#   test_transfer: "PyTorch's global random generator"
# ---

# %% solution="transfer"
def transfer(images, labels, classes, seed):
    """A pretrained network, trained to name `classes` kinds of things.

    images: floats (N, 3, H, W); labels: whole numbers (N,).
    """
    network = swap_head(squeezenet(), classes).to(images.device)
    freeze(network, "classifier.1")
    groups = parameter_groups([network.features, network.classifier], rate=3e-3, factor=0.1)
    train(network, torch.optim.Adam(groups), images, labels, 6, 16, seed, "classifier.1")
    return network
