# ---
# about: Seeds PyTorch's global generator without putting it back.
# blind: true
# fails:
#   test_train: " "
# ---

# %% solution="train"
def train(network, optimizer, images, labels, epochs, batch_size, seed, head=None):
    """Train in place; the list of the epochs' mean losses. `head`: all else is frozen."""
    n = len(images)
    losses = []
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
    network.eval()
    return losses
