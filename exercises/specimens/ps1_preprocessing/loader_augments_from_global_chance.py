# ---
# about: "The seeds for augment are drawn from the global generator, so runs can't be repeated."
# blind: true
# fails:
#   test_loader: "draw from a generator of your own"
#   test_loader_epochs: "everybody else's"
#   test_make_loaders: "everybody else's"
# ---

# %% solution="Loader"
class Loader:
    """Batches of images (N, C, H, W) and labels (N,): with a seed for training, else for tests."""

    def __init__(self, images, labels, batch_size, seed=None):
        self.images = images
        self.labels = labels
        self.batch_size = batch_size
        self.training = seed is not None
        if self.training:
            self.generator = torch.Generator().manual_seed(seed)

    def __len__(self):
        return -(-len(self.labels) // self.batch_size)

    def __iter__(self):
        order = torch.arange(len(self.labels))
        if self.training:
            order = torch.randperm(len(self.labels), generator=self.generator)
        for piece in order.split(self.batch_size):
            images = self.images[piece]
            if self.training:
                images = augment(images, torch.randint(10_000, ()).item())
            yield images, self.labels[piece]
