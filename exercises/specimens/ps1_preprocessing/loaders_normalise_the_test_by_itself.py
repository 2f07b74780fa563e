# ---
# about: Normalises the test pictures with their own mean and deviation.
# blind: true
# fails:
#   test_make_loaders: Mean and deviation come from the training pictures alone
# ---

# %% solution="make_loaders"
def make_loaders(images, labels, train, test, batch_size, seed):
    images = images / 255
    training = normalise(images[train], *channel_statistics(images[train]))
    testing = normalise(images[test], *channel_statistics(images[test]))
    training = Loader(training, labels[train], batch_size, seed)
    return training, Loader(testing, labels[test], batch_size)
