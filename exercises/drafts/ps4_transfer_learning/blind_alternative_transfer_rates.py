# ---
# about: "Right: discriminative rates, all of the network learns, most of it slowly."
# blind: true
# ---

# %% solution="transfer"
def transfer(images, labels, classes, seed):
    """A pretrained network, trained to name `classes` kinds of things."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = swap_head(squeezenet(), classes).to(images.device)
    blocks = list(network.features.children())
    blocks.append(network.classifier)
    optimizer = torch.optim.AdamW(parameter_groups(blocks, 0.003, 0.1), weight_decay=0.0)
    train(network, optimizer, images, labels, 8, 16, seed)
    return network
