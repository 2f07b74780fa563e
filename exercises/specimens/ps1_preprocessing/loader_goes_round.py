# ---
# about: Each epoch has the order of the last, begun at another place.
# blind: true
# fails:
#   test_loader_epochs: begun elsewhere
# ---

# %% solution="Loader"
class Loader:
    """Batches of images (N, C, H, W) and labels (N,): with a seed for training, else for tests."""

    def __init__(self, images, labels, batch_size, seed=None):
        self.images, self.labels, self.batch_size = images, labels, batch_size
        self.generator = None
        self.order = torch.arange(len(labels))
        if seed is not None:
            self.generator = torch.Generator().manual_seed(seed)
            self.order = torch.randperm(len(labels), generator=self.generator)

    def __len__(self):
        return -(-len(self.labels) // self.batch_size)

    def __iter__(self):
        if self.generator is not None:
            self.order = self.order.roll(1)
        for piece in self.order.split(self.batch_size):
            images = self.images[piece]
            if self.generator is not None:
                images = augment(images, int(torch.randint(10_000, (), generator=self.generator)))
            yield images, self.labels[piece]
