# ---
# about: "Right: the frozen body computes its features once, and only the head is trained on them."
# blind: true
# ---

# %% solution="transfer"
def transfer(images, labels, classes, seed):
    """A pretrained network, trained to name `classes` kinds of things."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = swap_head(squeezenet(), classes)
    network = network.to(images.device)
    network.eval()
    with torch.no_grad():
        seen = torch.cat([network.features(part) for part in images.split(16)])
    head = nn.Sequential(network.classifier, nn.Flatten())
    optimizer = torch.optim.Adam(head.parameters(), lr=0.003)
    train(head, optimizer, seen, labels, epochs=12, batch_size=16, seed=seed)
    return network.eval()
