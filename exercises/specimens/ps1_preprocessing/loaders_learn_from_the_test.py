# ---
# about: Computes mean and deviation over all pictures, those of the test included.
# blind: true
# fails:
#   test_make_loaders: Mean and deviation come from the training pictures alone
# ---

# %% solution="make_loaders"
def make_loaders(images, labels, train, test, batch_size, seed):
    images = images / 255
    images = normalise(images, *channel_statistics(images))
    training = Loader(images[train], labels[train], batch_size, seed)
    return training, Loader(images[test], labels[test], batch_size)
