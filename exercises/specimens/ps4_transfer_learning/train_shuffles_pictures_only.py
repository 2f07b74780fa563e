# ---
# about: Takes the labels in their own order.
# fails:
#   test_train: "expected the losses [0.693, 0.313]: log 2, then log(1 +"
#   test_train_batches: "Labels go with their pictures"
#   test_transfer: "expected at least 45 %"
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
            at = 0
            for piece in torch.randperm(len(labels), generator=generator).split(batch_size):
                at += len(piece)
                batch = piece.to(images.device)
                loss = F.cross_entropy(network(images[batch]), labels[at - len(piece) : at])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item() * len(batch)
            losses.append(total / len(labels))
    network.eval()
    return losses
