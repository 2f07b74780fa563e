# ---
# about: Makes the order once, for all epochs.
# fails:
#   test_train_batches: "3 epochs had 1 different orders"
# ---

# %% solution="train"
def train(network, optimizer, images, labels, epochs, batch_size, seed, head=None):
    """Train in place; the list of the epochs' mean losses. `head`: all else is frozen."""
    losses = []
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        generator = torch.Generator().manual_seed(seed)
        order = torch.randperm(len(labels), generator=generator)
        for _ in range(epochs):
            set_mode(network, head)
            total = 0.0
            for piece in order.split(batch_size):
                batch = piece.to(images.device)
                loss = F.cross_entropy(network(images[batch]), labels[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item() * len(batch)
            losses.append(total / len(labels))
    network.eval()
    return losses
