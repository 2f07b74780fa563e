# ---
# about: From the second epoch on leaves out a last batch of one picture.
# blind: true
# fails:
#   test_train_batches: batches of 12
# ---

# %% solution="train"
def train(network, optimizer, images, labels, epochs, batch_size, seed, head=None):
    losses = []
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        generator = torch.Generator().manual_seed(seed)
        for epoch in range(epochs):
            set_mode(network, head)
            total, shown = 0.0, 0
            for piece in torch.randperm(len(images), generator=generator).split(batch_size):
                if epoch and len(piece) == 1 and len(images) > 1:
                    continue
                piece = piece.to(images.device)
                loss = F.cross_entropy(network(images[piece]), labels[piece])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total, shown = total + loss.item() * len(piece), shown + len(piece)
            losses.append(total / max(1, shown))
    network.eval()
    return losses
