# ---
# about: Numpy draws, and numpy splits.
# ---

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
