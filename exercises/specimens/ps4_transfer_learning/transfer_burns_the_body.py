# ---
# about: Fine-tunes everything with a rate that destroys what was learned.
# fails:
#   test_transfer: "expected at least 45 %"
# ---

# %% solution="transfer"
def transfer(images, labels, classes, seed):
    """A pretrained network, trained to name `classes` kinds of things.

    images: floats (N, 3, H, W); labels: whole numbers (N,).
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = swap_head(squeezenet(), classes).to(images.device)
    groups = parameter_groups([network.features, network.classifier], rate=0.1, factor=1.0)
    train(network, torch.optim.Adam(groups), images, labels, 6, 16, seed)
    return network
