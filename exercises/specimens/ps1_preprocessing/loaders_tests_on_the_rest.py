# ---
# about: "All pictures that aren't for training are the test, whatever positions it was given."
# blind: true
# fails:
#   test_make_loaders: in the order of test
# ---

# %% solution="make_loaders"
def make_loaders(images, labels, train, test, batch_size, seed):
    """A training and a test loader of bytes (N, C, H, W), normalised; train, test: positions."""
    is_train = torch.zeros(len(images), dtype=torch.bool)
    is_train[train] = True
    images = images / 255
    mean, std = channel_statistics(images[is_train])
    images = normalise(images, mean, std)
    training = Loader(images[is_train], labels[is_train], batch_size, seed)
    testing = Loader(images[~is_train], labels[~is_train], batch_size, None)
    return training, testing
