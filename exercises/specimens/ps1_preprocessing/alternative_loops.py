# ---
# about: Loops and plain Python where the reference has one line.
# ---

# %% solution="new_size"
def new_size(height, width, shorter):
    if height <= width:
        return shorter, int(width * shorter / height)
    return int(height * shorter / width), shorter


# %% solution="channel_statistics"
def channel_statistics(images):
    """Mean of the squares less the square of the mean, in double precision."""
    columns = [images[:, c].double() for c in range(images.shape[1])]
    mean = torch.stack([column.sum() / column.numel() for column in columns])
    square = torch.stack([(column**2).sum() / column.numel() for column in columns])
    std = (square - mean**2).clamp(min=0).sqrt()
    return mean.to(images.dtype), std.to(images.dtype)


# %% solution="normalise"
def normalise(images, mean, std):
    result = images.clone()
    for c in range(images.shape[1]):
        result[:, c] = (images[:, c] - mean[c]) / std[c]
    return result


# %% solution="split_by_group"
def split_by_group(groups, test_groups, seed):
    """The groups in the order in which they come, drawn by a generator of Python's own."""
    import random

    names = list(dict.fromkeys(groups))
    chosen = random.Random(seed).sample(names, test_groups)
    train, test = [], []
    for i, group in enumerate(groups):
        (test if group in chosen else train).append(i)
    return train, test


# %% solution="Loader"
class Loader:
    def __init__(self, images, labels, batch_size, seed=None):
        self.images, self.labels = images, labels
        self.size, self.training = batch_size, seed is not None
        self.generator = torch.Generator()
        if self.training:
            self.generator.manual_seed(seed)

    def __len__(self):
        full, rest = divmod(len(self.images), self.size)
        return full + (1 if rest else 0)

    def __iter__(self):
        """All batches at once, as a list's iterator."""
        places = list(range(len(self.images)))
        if self.training:
            places = torch.randperm(len(places), generator=self.generator).tolist()
        batches = []
        for start in range(0, len(places), self.size):
            part = places[start : start + self.size]
            images = torch.stack([self.images[i] for i in part])
            if self.training:
                seed = torch.randint(10**9, (1,), generator=self.generator).item()
                images = augment(images, seed)
            batches.append((images, torch.stack([self.labels[i] for i in part])))
        return iter(batches)
