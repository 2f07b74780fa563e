# ---
# about: Fills one list at each call, so that earlier losses change.
# fails:
#   test_train: "the losses, after other calls"
# ---

# %% solution="train"
_LOSSES = []


def train(network, optimizer, images, labels, epochs, batch_size, seed, head=None):
    """Train in place; returns the list of the epochs' mean losses."""
    losses = _LOSSES
    losses.clear()
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
