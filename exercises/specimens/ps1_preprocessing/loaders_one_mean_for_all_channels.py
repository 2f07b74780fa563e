# ---
# about: "One mean and one deviation are computed for all channels together."
# blind: true
# fails:
#   test_make_loaders: channel by channel
# ---

# %% solution="make_loaders"
def make_loaders(images, labels, train, test, batch_size, seed):
    """A training and a test loader of bytes (N, C, H, W), normalised; train, test: positions."""
    images = images.float() / 255
    mean, std = images[train].mean(), images[train].std()
    images = (images - mean) / std
    training = Loader(images[train], labels[train], batch_size, seed=seed)
    testing = Loader(images[test], labels[test], batch_size, seed=None)
    return training, testing
