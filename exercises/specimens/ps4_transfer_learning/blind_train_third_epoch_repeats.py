# ---
# about: Draws two orders and takes them in turn, so the third epoch has the order of the first.
# blind: true
# fails:
#   test_train_batches: 'different orders: draw anew'
# ---

# %% solution="train"
def train(network, optimizer, images, labels, epochs, batch_size, seed, head=None):
    """Train in place; the list of the epochs' mean losses. `head`: all else is frozen."""
    n = len(images)
    losses = []
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        generator = torch.Generator().manual_seed(seed)
        orders = [torch.randperm(n, generator=generator) for _ in range(2)]
        for epoch in range(epochs):
            set_mode(network, head)
            total = 0.0
            for piece in orders[epoch % 2].split(batch_size):
                piece = piece.to(images.device)
                loss = F.cross_entropy(network(images[piece]), labels[piece])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item() * len(piece)
            losses.append(total / n)
    network.eval()
    return losses
