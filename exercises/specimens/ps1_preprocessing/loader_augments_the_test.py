# ---
# about: Augments the test pictures, too.
# blind: true
# fails:
#   test_loader_epochs: "A test picture is served as it is, in its order: augment in training only."
#   test_make_loaders: "Mean"
# ---

# %% solution="Loader"
class Loader:
    def __init__(self, images, labels, batch_size, seed=None):
        self.images, self.labels, self.batch_size = images, labels, batch_size
        self.shuffle = seed is not None
        self.generator = torch.Generator().manual_seed(seed or 0)

    def __len__(self):
        return (len(self.labels) + self.batch_size - 1) // self.batch_size

    def __iter__(self):
        order = torch.arange(len(self.labels))
        if self.shuffle:
            order = torch.randperm(len(self.labels), generator=self.generator)
        for piece in order.split(self.batch_size):
            new_seed = int(torch.randint(1000000, (), generator=self.generator))
            yield augment(self.images[piece], new_seed), self.labels[piece]
