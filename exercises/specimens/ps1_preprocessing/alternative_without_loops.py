# ---
# about: No loop over pictures; the photograph is moved by indexing, and the crop is padding below
#   0.
# ---

# %% solution="to_square"
def to_square(photograph, size):
    new = new_size(photograph.shape[-2], photograph.shape[-1], size)
    picture = F.interpolate(photograph[None].double(), size=new, mode="bilinear", antialias=True)
    top, left = (new[0] - size) // 2, (new[1] - size) // 2
    edges = (-left, left + size - new[1], -top, top + size - new[0])
    return (F.pad(picture[0], edges) / 255).float()


# %% solution="normalise"
def normalise(images, mean, std):
    mean, std = torch.as_tensor(mean), torch.as_tensor(std)
    return ((images.movedim(1, -1) - mean) / std).movedim(-1, 1)


# %% solution="augment"
def augment(images, seed, reach=2):
    generator = torch.Generator().manual_seed(seed)
    count, _, height, width = images.shape
    toss = torch.randint(2, (count, 1), generator=generator) == 1
    steps = torch.randint(2 * reach + 1, (2, count, 1), generator=generator) - reach
    rows = (torch.arange(height) - steps[0]) % height
    columns = (torch.arange(width) - steps[1]) % width
    columns = torch.where(toss, width - 1 - columns, columns)
    pictures = torch.arange(count)[:, None, None]
    return images.movedim(1, -1)[pictures, rows[:, :, None], columns[:, None]].movedim(-1, 1)


# %% solution="make_loaders"
def make_loaders(images, labels, train, test, batch_size, seed):
    mean, std = channel_statistics(images[train].float())
    return tuple(
        Loader(normalise(images[part].float(), mean, std), labels[part], batch_size, some_seed)
        for part, some_seed in ((train, seed), (test, None))
    )
