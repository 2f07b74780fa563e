# ---
# about: "Right: saves and restores the generators by hand; the order is drawn by Fisher and
#   Yates from the generator."
# blind: true
# ---

# %% solution="train"
def _shuffled(count, generator):
    order = list(range(count))
    for last in range(count - 1, 0, -1):
        other = int(torch.randint(last + 1, (1,), generator=generator))
        order[last], order[other] = order[other], order[last]
    return order


def train(network, optimizer, images, labels, epochs, batch_size, seed, head=None):
    """Train in place; the list of the epochs' mean losses. `head`: all else is frozen."""
    on_gpu = torch.cuda.is_available()
    before = torch.get_rng_state()
    before_gpu = torch.cuda.get_rng_state_all() if on_gpu else None
    means = []
    try:
        torch.manual_seed(seed)
        generator = torch.Generator().manual_seed(seed)
        for _ in range(epochs):
            set_mode(network, head)
            order = _shuffled(len(images), generator)
            weighted = []
            for start in range(0, len(order), batch_size):
                batch = order[start : start + batch_size]
                optimizer.zero_grad(set_to_none=True)
                loss = F.cross_entropy(network(images[batch]), labels[batch])
                loss.backward()
                optimizer.step()
                weighted.append(float(loss.detach()) * len(batch))
            means.append(sum(weighted) / len(order))
    finally:
        torch.set_rng_state(before)
        if on_gpu:
            torch.cuda.set_rng_state_all(before_gpu)
    network.eval()
    return means
