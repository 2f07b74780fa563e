# ---
# about: Uses a seed of its own.
# fails:
#   test_train_batches: "Seeds 1 and 2 give the same orders: use the seed."
# ---

# %% solution="train"
def train(network, optimizer, images, labels, epochs, batch_size, seed, head=None):
    """Train in place; the list of the epochs' mean losses. `head`: all else is frozen."""
    losses = []
    with torch.random.fork_rng():
        torch.manual_seed(0)
        generator = torch.Generator().manual_seed(0)
        for _ in range(epochs):
            set_mode(network, head)
            total = 0.0
            for piece in torch.randperm(len(labels), generator=generator).split(batch_size):
                batch = piece.to(images.device)
                loss = F.cross_entropy(network(images[batch]), labels[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item() * len(batch)
            losses.append(total / len(labels))
    network.eval()
    return losses
