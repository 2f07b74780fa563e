# ---
# about: Gives the optimiser the parameters before the head is swapped, so the new head never learns.
# blind: true
# fails:
#   test_transfer: " "
# ---

# %% solution="transfer"
def transfer(images, labels, classes, seed):
    """A pretrained network, trained to name `classes` kinds of things."""
    network = squeezenet()
    freeze(network, "classifier")
    optimizer = torch.optim.Adam(network.classifier.parameters(), lr=3e-3)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = swap_head(network, classes).to(images.device)
    train(network, optimizer, images, labels, 8, 16, seed, head="classifier")
    return network
