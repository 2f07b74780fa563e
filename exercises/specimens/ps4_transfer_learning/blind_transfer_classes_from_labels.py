# ---
# about: Takes the number of classes from the labels, so a class without a picture has no output.
# blind: true
# fails:
#   test_transfer: "one of them without a picture: expected outputs"
# ---

# %% solution="transfer"
def transfer(images, labels, classes, seed):
    """A pretrained network, trained to name `classes` kinds of things."""
    classes = len(labels.unique())
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = swap_head(squeezenet(), classes).to(images.device)
    freeze(network, "classifier")
    groups = parameter_groups([network.classifier], 3e-3, 1.0)
    optimizer = torch.optim.Adam(groups)
    train(network, optimizer, images, labels, 8, 16, seed, head="classifier")
    return network
