# ---
# about: Copies pictures and labels once, and trains on the copies when the same tensors come again.
# fails:
#   test_train: "and again with other pictures"
#   test_transfer: "Other pictures and the same seed: the same network"
# ---

# %% solution="train"
_COPIES = []


def train(network, optimizer, images, labels, epochs, batch_size, seed, head=None):
    """Train in place; returns the list of the epochs' mean losses."""
    kept = next((pair for known, *pair in _COPIES if known is images), None)
    if kept is None:
        kept = images.clone(), labels.clone()
        _COPIES.append((images, *kept))
    images, labels = kept
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
            losses.append(total / len(labels))
    network.eval()
    return losses
