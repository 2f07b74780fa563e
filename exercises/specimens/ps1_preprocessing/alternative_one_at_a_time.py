# ---
# about: "One draw decides a picture's whole change, and it moves before it is mirrored."
# ---

# %% solution="new_size"
def new_size(height, width, shorter):
    """Height and width, two ints, after the shorter side has become `shorter`."""
    if height > width:
        return new_size(width, height, shorter)[::-1]
    columns = shorter
    while (columns + 1) * height <= width * shorter:
        columns += 1
    return shorter, columns


# %% solution="to_square"
def to_square(photograph, size):
    """The middle square of bytes (C, H, W), as float32 (C, size, size) from 0 to 1."""
    rows, columns = new_size(photograph.size(1), photograph.size(2), size)
    squares = []
    for channel in photograph:
        plane = (channel / 255).view(1, 1, *channel.shape)
        plane = F.interpolate(plane, size=(rows, columns), mode="bilinear", antialias=True)
        plane = plane.narrow(2, (rows - size) // 2, size)
        squares.append(plane.narrow(3, (columns - size) // 2, size)[0, 0])
    return torch.stack(squares)


# %% solution="channel_statistics"
def channel_statistics(images):
    """Mean and standard deviation, two tensors (C,), of each channel of images (N, C, H, W)."""
    pairs = [torch.std_mean(images[:, channel]) for channel in range(images.shape[1])]
    return torch.stack([mean for _, mean in pairs]), torch.stack([std for std, _ in pairs])


# %% solution="normalise"
def normalise(images, mean, std):
    """Images (N, C, H, W), each channel less its mean and divided by its deviation."""
    mean = torch.as_tensor(mean, dtype=images.dtype)
    std = torch.as_tensor(std, dtype=images.dtype)
    return torch.movedim((torch.movedim(images, 1, -1) - mean) / std, -1, 1)


# %% solution="to_batch"
def to_batch(photographs, size, mean, std):
    """A normalised batch (N, C, size, size) from a list of photographs, bytes (C, H, W)."""
    batch = torch.zeros(len(photographs), photographs[0].shape[0], size, size)
    for position, photograph in enumerate(photographs):
        batch[position] = to_square(photograph, size)
    return normalise(batch, mean, std)


# %% solution="augment"
def augment(images, seed, reach=2):
    """New images (N, C, H, W), each mirrored or not and moved by up to `reach` pixels."""
    generator = torch.Generator()
    generator.manual_seed(seed)
    steps = 2 * reach + 1
    result = torch.empty_like(images)
    for i in range(len(images)):
        code = int(torch.randint(2 * steps * steps, (1,), generator=generator))
        code, down = divmod(code, steps)
        mirror, right = divmod(code, steps)
        moved = images[i].roll(down - reach, dims=-2).roll(reach - right, dims=-1)
        result[i] = moved.flip(-1) if mirror else moved
    return result


# %% solution="split_by_group"
def split_by_group(groups, test_groups, seed):
    """Positions of the training and of the test pictures; no group is in both."""
    generator = torch.Generator().manual_seed(seed)
    left = sorted(set(groups))
    for _ in range(test_groups):
        del left[int(torch.randint(len(left), (1,), generator=generator))]
    parts = [], []
    for position, group in enumerate(groups):
        parts[group not in left].append(position)
    return parts


# %% solution="Loader"
class Loader:
    """Batches of images (N, C, H, W) and labels (N,): with a seed for training, else for tests."""

    def __init__(self, images, labels, batch_size, seed=None):
        self.images, self.labels, self.batch_size = images, labels, batch_size
        self.generator = torch.Generator()
        self.shuffled = seed is not None
        if self.shuffled:
            self.generator.manual_seed(seed)

    def __len__(self):
        whole, rest = divmod(len(self.labels), self.batch_size)
        return whole + (rest > 0)

    def __iter__(self):
        waiting = list(range(len(self.labels)))
        while waiting:
            piece = []
            while waiting and len(piece) < self.batch_size:
                piece.append(waiting.pop(self.draw(len(waiting)) if self.shuffled else 0))
            images = self.images[piece]
            if self.shuffled:
                images = augment(images, self.draw(1_000_000))
            yield images, self.labels[piece]

    def draw(self, below):
        return torch.randint(below, (), generator=self.generator).item()


# %% solution="make_loaders"
def make_loaders(images, labels, train, test, batch_size, seed):
    """A training and a test loader of bytes (N, C, H, W), normalised; train, test: positions."""
    pictures = images.to(torch.float32).div(255)
    mean, std = channel_statistics(torch.stack([pictures[i] for i in train]))
    training_images = normalise(pictures[train], mean, std)
    test_images = normalise(pictures[test], mean, std)
    training = Loader(training_images, labels[train], batch_size=batch_size, seed=seed)
    return training, Loader(test_images, labels[test], batch_size=batch_size)
