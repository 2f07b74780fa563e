# ---
# about: "'seed or None': seed 0 is no seed."
# blind: true
# fails:
#   test_make_loaders: so that it shuffles
# ---

# %% solution="make_loaders"
def make_loaders(images, labels, train, test, batch_size, seed):
    """A training and a test loader of bytes (N, C, H, W), normalised; train, test: positions."""
    images = images / 255
    mean, std = channel_statistics(images[train])
    images = normalise(images, mean, std)
    return (
        Loader(images[train], labels[train], batch_size, seed or None),
        Loader(images[test], labels[test], batch_size),
    )
