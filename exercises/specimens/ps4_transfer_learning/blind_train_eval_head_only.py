# ---
# about: With a head given only the head goes into evaluation mode at the end, so with no epochs
#   the body stays in training mode.
# blind: true
# fails:
#   test_train: 'epochs: network is not in evaluation mode'
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
            for piece in torch.randperm(n, generator=generator).split(batch_size):
                piece = piece.to(images.device)
                loss = F.cross_entropy(network(images[piece]), labels[piece])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item() * len(piece)
            losses.append(total / n)
    (network if head is None else network.get_submodule(head)).eval()
    return losses
