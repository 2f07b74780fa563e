# ---
# about: Shuffles the pictures and forgets the labels.
# blind: true
# fails:
#   test_loader: "A picture has another picture's label: use one order for both"
#   test_loader_epochs: "With a seed the loader is for training: shuffle"
#   test_make_loaders: "the training loader gets the seed, so that it shuffles"
# ---

# %% solution="Loader"
class Loader:
    def __init__(self, images, labels, batch_size, seed=None):
        self.images, self.labels, self.batch_size = images, labels, batch_size
        self.generator = None if seed is None else torch.Generator().manual_seed(seed)

    def __len__(self):
        return (len(self.labels) + self.batch_size - 1) // self.batch_size

    def __iter__(self):
        images = self.images
        if self.generator is not None:
            images = images[torch.randperm(len(images), generator=self.generator)]
        for start in range(0, len(images), self.batch_size):
            batch = images[start : start + self.batch_size]
            if self.generator is not None:
                batch = augment(batch, int(torch.randint(1000000, (), generator=self.generator)))
            yield batch, self.labels[start : start + self.batch_size]
