# ---
# about: "Augments with a reach of 1."
# blind: true
# fails:
#   test_loader_epochs: its own reach of 2
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
        if self.generator is None:
            order = torch.arange(len(self.images))
        else:
            order = torch.randperm(len(self.images), generator=self.generator)
        for piece in order.split(self.batch_size):
            images = self.images[piece]
            if self.generator is not None:
                images = augment(
                    images, int(torch.randint(10_000, (), generator=self.generator)), 1
                )
            yield images, self.labels[piece]
