# ---
# about: Seeds the generators that all code shares whenever somebody asks for the length.
# fails:
#   test_loader: "numpy's global random generator was seeded or used"
# ---

# %% solution="Loader"
import random
import numpy as np


class Loader:
    """Batches of images (N, C, H, W) and labels (N,): with a seed for training, else for tests."""

    def __init__(self, images, labels, batch_size, seed=None):
        self.images, self.labels, self.batch_size = images, labels, batch_size
        self.generator = None if seed is None else torch.Generator().manual_seed(seed)

    def __len__(self):
        random.seed(0)
        np.random.seed(0)
        torch.manual_seed(0)
        return -(-len(self.labels) // self.batch_size)

    def __iter__(self):
        count = len(self.labels)
        order = torch.arange(count)
        if self.generator is not None:
            order = torch.randperm(count, generator=self.generator)
        for piece in order.split(self.batch_size):
            images = self.images[piece]
            if self.generator is not None:
                images = augment(images, int(torch.randint(10_000, (), generator=self.generator)))
            yield images, self.labels[piece]
