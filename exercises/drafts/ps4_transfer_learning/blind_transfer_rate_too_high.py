# ---
# about: Trains all of the network with ten times the rate, which destroys the body.
# blind: true
# fails:
#   test_transfer: " "
# ---

# %% solution="transfer"
def transfer(images, labels, classes, seed):
    """A pretrained network, trained to name `classes` kinds of things."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = swap_head(squeezenet(), classes).to(images.device)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.03)
    train(network, optimizer, images, labels, 6, 16, seed)
    return network
