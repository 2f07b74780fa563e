# ---
# about: Shuffles with numpy's global generator and seeds it.
# blind: true
# fails:
#   test_train_batches: "numpy's global random generator"
#   test_train: "numpy's global random generator"
#   test_transfer: "numpy's global random generator"
# ---

# %% solution="train"
def train(network, optimizer, images, labels, epochs, batch_size, seed, head=None):
    """Train in place; the list of the epochs' mean losses. `head`: all else is frozen."""
    n = len(images)
    losses = []
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        np.random.seed(seed)
        for _ in range(epochs):
            set_mode(network, head)
            total = 0.0
            for piece in torch.from_numpy(np.random.permutation(n)).split(batch_size):
                piece = piece.to(images.device)
                loss = F.cross_entropy(network(images[piece]), labels[piece])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item() * len(piece)
            losses.append(total / n)
    network.eval()
    return losses
