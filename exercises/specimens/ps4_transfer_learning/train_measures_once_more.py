# ---
# about: Computes the losses in another forward pass after the epoch.
# fails:
#   test_train: "expected the losses"
#   test_train_batches: "in batches of 3: expected 3, 3 and 1"
# ---

# %% solution="train"
def train(network, optimizer, images, labels, epochs, batch_size, seed, head=None):
    """Train in place; returns the list of the epochs' mean losses."""
    losses = []
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        generator = torch.Generator().manual_seed(seed)
        for _ in range(epochs):
            set_mode(network, head)
            total = 0.0
            for piece in torch.randperm(len(labels), generator=generator).split(batch_size):
                loss = F.cross_entropy(network(images[piece]), labels[piece])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item() * len(piece)
            with torch.no_grad():
                losses.append(F.cross_entropy(network(images), labels).item())
    network.eval()
    return losses
