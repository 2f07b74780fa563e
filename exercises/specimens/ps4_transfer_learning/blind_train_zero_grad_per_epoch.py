# ---
# about: Old gradients are taken away once an epoch only, not for each batch.
# blind: true
# fails:
#   test_train: "each batch makes a step with its own gradients alone"
# ---

# %% solution="train"
def train(network, optimizer, images, labels, epochs, batch_size, seed, head=None):
    """Train in place; the list of the epochs' mean losses. `head`: all else is frozen."""
    n = len(images)
    losses = []
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        generator = torch.Generator().manual_seed(seed)
        for _ in range(epochs):
            set_mode(network, head)
            total = 0.0
            optimizer.zero_grad()
            for piece in torch.randperm(n, generator=generator).split(batch_size):
                piece = piece.to(images.device)
                loss = F.cross_entropy(network(images[piece]), labels[piece])
                loss.backward()
                optimizer.step()
                total += loss.item() * len(piece)
            losses.append(total / n)
    network.eval()
    return losses
