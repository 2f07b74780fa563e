# ---
# about: Makes the generator anew in each epoch, so that all epochs are the same.
# blind: true
# fails:
#   test_loader_epochs: "Epoch 1 has the order of another epoch: make the generator only once."
#   test_make_loaders: "Two seeds or two epochs have the same order: hand the seed on."
# ---

# %% solution="Loader"
class Loader:
    def __init__(self, images, labels, batch_size, seed=None):
        self.images, self.labels, self.batch_size = images, labels, batch_size
        self.seed = seed

    def __len__(self):
        return (len(self.labels) + self.batch_size - 1) // self.batch_size

    def __iter__(self):
        order = torch.arange(len(self.labels))
        if self.seed is not None:
            generator = torch.Generator().manual_seed(self.seed)
            order = torch.randperm(len(self.labels), generator=generator)
        for piece in order.split(self.batch_size):
            images = self.images[piece]
            if self.seed is not None:
                images = augment(images, int(torch.randint(1000000, (), generator=generator)))
            yield images, self.labels[piece]
