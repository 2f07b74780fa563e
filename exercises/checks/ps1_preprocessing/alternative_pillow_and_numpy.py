# ---
# about: Pillow resizes, numpy draws; bytes are rounded before they are divided.
# ---

# %% solution="to_square"
def to_square(photograph, size):
    """Channel by channel, because Pillow wants one, three or four of them."""
    from PIL import Image

    height, width = new_size(photograph.shape[1], photograph.shape[2], size)
    top, left = (height - size) // 2, (width - size) // 2
    planes = []
    for channel in photograph.numpy():
        picture = Image.fromarray(channel).resize((width, height), Image.Resampling.BILINEAR)
        picture = picture.crop((left, top, left + size, top + size))
        planes.append(torch.tensor(list(picture.tobytes())).view(size, size))
    return torch.stack(planes) / 255


# %% solution="augment"
def augment(images, seed, reach=2):
    import numpy as np

    rng = np.random.default_rng(seed)
    mirrored = rng.random(len(images)) < 0.5
    steps = rng.integers(-reach, reach, size=(len(images), 2), endpoint=True)
    changed = []
    for image, flip, step in zip(images.numpy(), mirrored, steps, strict=True):
        image = np.roll(image, step, axis=(1, 2))
        changed.append(image[:, :, ::-1] if flip else image)
    return torch.from_numpy(np.ascontiguousarray(changed))


# %% solution="split_by_group"
def split_by_group(groups, test_groups, seed):
    import numpy as np

    names, members = np.unique(groups, return_inverse=True)
    chosen = np.random.default_rng(seed).permutation(len(names))[:test_groups]
    is_test = np.isin(members, chosen)
    return np.flatnonzero(~is_test).tolist(), np.flatnonzero(is_test).tolist()
