# ---
# about: With fewer training than test pictures, statistics are those of all.
# blind: true
# fails:
#   test_make_loaders: come from the training pictures alone
# ---

# %% solution="make_loaders"
def make_loaders(images, labels, train, test, batch_size, seed):
    """A training and a test loader of bytes (N, C, H, W), normalised; train, test: positions."""
    pictures = images / 255
    enough = list(train) if len(train) >= len(test) else [*train, *test]
    mean, std = channel_statistics(pictures[enough])
    pictures = normalise(pictures, mean, std)
    return (
        Loader(pictures[train], labels[train], batch_size, seed),
        Loader(pictures[test], labels[test], batch_size),
    )
