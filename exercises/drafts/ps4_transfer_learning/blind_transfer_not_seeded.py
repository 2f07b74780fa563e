# ---
# about: Forks the global generator but doesn't seed it, so the head depends on global chance.
# blind: true
# fails:
#   test_transfer: " "
# ---

# %% solution="transfer"
def transfer(images, labels, classes, seed):
    """A pretrained network, trained to name `classes` kinds of things."""
    with torch.random.fork_rng():
        network = swap_head(squeezenet(), classes).to(images.device)
    freeze(network, "classifier")
    groups = parameter_groups([network.classifier], 3e-3, 1.0)
    optimizer = torch.optim.Adam(groups)
    train(network, optimizer, images, labels, 8, 16, seed, head="classifier")
    return network
