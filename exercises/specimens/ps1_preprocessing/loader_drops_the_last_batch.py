# ---
# about: Throws away what doesn't fill a batch.
# blind: true
# fails:
#   test_loader: "7 pictures in batches of 3, seed=None: expected batches of [3, 3, 1], got [3, 3]"
# ---

# %% solution="Loader"
class Loader:
    def __init__(self, images, labels, batch_size, seed=None):
        self.images, self.labels, self.batch_size = images, labels, batch_size
        self.generator = None if seed is None else torch.Generator().manual_seed(seed)

    def __len__(self):
        return len(self.labels) // self.batch_size

    def __iter__(self):
        order = torch.arange(len(self.labels))
        if self.generator is not None:
            order = torch.randperm(len(self.labels), generator=self.generator)
        for i in range(len(self)):
            piece = order[i * self.batch_size : (i + 1) * self.batch_size]
            images = self.images[piece]
            if self.generator is not None:
                images = augment(images, int(torch.randint(1000000, (), generator=self.generator)))
            yield images, self.labels[piece]
