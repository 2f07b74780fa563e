# ---
# about: Adds gradients up over all batches.
# fails:
#   test_train: "one batch of 7: expected the losses"
# ---

# %% solution="train"
def train(network, optimizer, images, labels, epochs, batch_size, seed, head=None):
    """Train in place; the list of the epochs' mean losses. `head`: all else is frozen."""
    losses = []
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        generator = torch.Generator().manual_seed(seed)
        for _ in range(epochs):
            set_mode(network, head)
            total = 0.0
            for piece in torch.randperm(len(labels), generator=generator).split(batch_size):
                batch = piece.to(images.device)
                loss = F.cross_entropy(network(images[batch]), labels[batch])
                loss.backward()
                optimizer.step()
                total += loss.item() * len(batch)
            losses.append(total / len(labels))
    network.eval()
    return losses
