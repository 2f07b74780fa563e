# ---
# about: "Right: the order comes from argsort of random numbers, batches by slices, sum instead of mean of the losses."
# blind: true
# ---

# %% solution="train"
def _batch_sum(network, x, y):
    return F.cross_entropy(network(x), y, reduction="sum")


def train(network, optimizer, images, labels, epochs, batch_size, seed, head=None):
    """Train in place; the list of the epochs' mean losses. `head`: all else is frozen."""
    chance = torch.Generator()
    chance.manual_seed(seed)
    history = []
    count = images.shape[0]
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        while len(history) < epochs:
            set_mode(network, head)
            order = torch.rand(count, generator=chance, dtype=torch.float64).argsort()
            order = order.to(images.device)
            sums = []
            start = 0
            while start < count:
                take = order[start : start + batch_size]
                start += batch_size
                batch_loss = _batch_sum(network, images[take], labels[take.to(labels.device)])
                optimizer.zero_grad()
                (batch_loss / len(take)).backward()
                optimizer.step()
                sums.append(batch_loss.detach().item())
            history.append(sum(sums) / count)
    network.train(False)
    return history
