# ---
# about: Leaves out a last batch that is smaller.
# fails:
#   test_train_batches: "7 pictures in batches of 3: expected 3, 3 and 1, got [3"
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
            pieces = torch.randperm(len(labels), generator=generator).split(batch_size)
            for piece in [one for one in pieces if len(one) == batch_size] or pieces:
                batch = piece.to(images.device)
                loss = F.cross_entropy(network(images[batch]), labels[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item() * len(batch)
            losses.append(total / len(labels))
    network.eval()
    return losses
