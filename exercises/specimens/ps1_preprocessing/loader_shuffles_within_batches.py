# ---
# about: "Pictures are shuffled only within a batch, so each epoch has the same batches."
# blind: true
# fails:
#   test_loader_epochs: shuffle first, then cut
# ---

# %% solution="Loader"
class Loader:
    """Batches of images (N, C, H, W) and labels (N,): with a seed for training, else for tests."""

    def __init__(self, images, labels, batch_size, seed=None):
        self.images, self.labels = images, labels
        self.batch_size = batch_size
        self.generator = None if seed is None else torch.Generator().manual_seed(seed)

    def __len__(self):
        return (len(self.images) + self.batch_size - 1) // self.batch_size

    def __iter__(self):
        for piece in torch.arange(len(self.images)).split(self.batch_size):
            if self.generator is not None:
                piece = piece[torch.randperm(len(piece), generator=self.generator)]
            images, labels = self.images[piece], self.labels[piece]
            if self.generator is not None:
                seed = int(torch.randint(10_000, (), generator=self.generator))
                images = augment(images, seed)
            yield images, labels
