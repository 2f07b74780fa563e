# ---
# about: Augments every batch with the loader's own seed, so always in the same way.
# blind: true
# fails:
#   test_loader_epochs: "Of 50 versions, 32 came: augment with its own reach of 2."
# ---

# %% solution="Loader"
class Loader:
    def __init__(self, images, labels, batch_size, seed=None):
        self.images, self.labels, self.batch_size = images, labels, batch_size
        self.seed = seed
        self.generator = None if seed is None else torch.Generator().manual_seed(seed)

    def __len__(self):
        return (len(self.labels) + self.batch_size - 1) // self.batch_size

    def __iter__(self):
        order = torch.arange(len(self.labels))
        if self.generator is not None:
            order = torch.randperm(len(self.labels), generator=self.generator)
        for piece in order.split(self.batch_size):
            images = self.images[piece]
            if self.seed is not None:
                images = augment(images, self.seed)
            yield images, self.labels[piece]
