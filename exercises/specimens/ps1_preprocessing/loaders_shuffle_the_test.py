# ---
# about: Gives the test loader the seed, too, so that the test is shuffled and augmented.
# blind: true
# fails:
#   test_make_loaders: Test pictures come as they are, in the order of test
# ---

# %% solution="make_loaders"
def make_loaders(images, labels, train, test, batch_size, seed):
    images = images / 255
    images = normalise(images, *channel_statistics(images[train]))
    training = Loader(images[train], labels[train], batch_size, seed)
    return training, Loader(images[test], labels[test], batch_size, seed)
