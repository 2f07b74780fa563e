# ---
# about: "The loader is its own iterator, so a second loop inside the first disturbs the first."
# blind: true
# fails:
#   test_loader: keep the place in __iter__
# ---

# %% solution="Loader"
class Loader:
    """Batches of images (N, C, H, W) and labels (N,): with a seed for training, else for tests."""

    def __init__(self, images, labels, batch_size, seed=None):
        self.images, self.labels, self.batch_size = images, labels, batch_size
        self.generator = None if seed is None else torch.Generator().manual_seed(seed)

    def __len__(self):
        return -(-len(self.images) // self.batch_size)

    def __iter__(self):
        self.order, self.start = torch.arange(len(self.images)), 0
        if self.generator is not None:
            self.order = torch.randperm(len(self.images), generator=self.generator)
        return self

    def __next__(self):
        if self.start >= len(self.order):
            raise StopIteration
        piece = self.order[self.start : self.start + self.batch_size]
        self.start += self.batch_size
        images, labels = self.images[piece], self.labels[piece]
        if self.generator is not None:
            seed = int(torch.randint(10_000, (), generator=self.generator))
            images = augment(images, seed)
        return (images, labels)  # one batch
