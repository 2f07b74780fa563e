# ---
# about: Trains the whole network, slower towards the input, on a loader of PyTorch's.
# ---

# %% solution="train"
def train(network, optimizer, images, labels, epochs, batch_size, seed, head=None):
    losses = []
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        chance = torch.Generator().manual_seed(seed + 1)
        data = torch.utils.data.TensorDataset(images, labels)
        loader = torch.utils.data.DataLoader(data, batch_size, shuffle=True, generator=chance)
        for _ in range(epochs):
            set_mode(network, head)
            seen = []
            for some, truth in loader:
                each = F.cross_entropy(network(some), truth, reduction="none")
                optimizer.zero_grad()
                each.mean().backward()
                optimizer.step()
                seen += each.tolist()
            losses.append(sum(seen) / len(seen))
    network.train(False)
    return losses


# %% solution="transfer"
def transfer(images, labels, classes, seed):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = swap_head(squeezenet(), classes)
    network.to(images.device)
    freeze(network, "classifier")
    for block in network.features[10:]:
        block.requires_grad_(True)
    optimizer = torch.optim.AdamW(
        parameter_groups([*network.features, network.classifier], 3e-3, 0.1)
    )
    train(network, optimizer, images, labels, 5, 16, seed)
    return network
