# ---
# about: Augments all pictures when the loader is made, so that each epoch shows the same ones.
# blind: true
# fails:
#   test_loader_epochs: "Two epochs show the same versions of the pictures: augment anew each time."
# ---

# %% solution="Loader"
class Loader:
    def __init__(self, images, labels, batch_size, seed=None):
        self.images, self.labels, self.batch_size = images, labels, batch_size
        self.generator = None
        if seed is not None:
            self.generator = torch.Generator().manual_seed(seed)
            self.images = augment(images, seed)

    def __len__(self):
        return (len(self.labels) + self.batch_size - 1) // self.batch_size

    def __iter__(self):
        order = torch.arange(len(self.labels))
        if self.generator is not None:
            order = torch.randperm(len(self.labels), generator=self.generator)
        for piece in order.split(self.batch_size):
            yield self.images[piece], self.labels[piece]
