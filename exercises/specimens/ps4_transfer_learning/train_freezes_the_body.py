# ---
# about: Freezes the body itself when there is a head.
# blind: true
# fails:
#   test_train: one batch of 7
# ---

# %% solution="train"
def train(network, optimizer, images, labels, epochs, batch_size, seed, head=None):
    losses = []
    if head is not None:
        freeze(network, head)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        generator = torch.Generator().manual_seed(seed)
        for _ in range(epochs):
            set_mode(network, head)
            total = 0.0
            for piece in torch.randperm(len(images), generator=generator).split(batch_size):
                piece = piece.to(images.device)
                loss = F.cross_entropy(network(images[piece]), labels[piece])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item() * len(piece)
            losses.append(total / len(images))
    network.eval()
    return losses
