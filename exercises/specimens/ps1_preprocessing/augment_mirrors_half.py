# ---
# about: Mirrors exactly half of a batch.
# blind: true
# fails:
#   test_augment_chance: toss a coin for each picture
# ---

# %% solution="augment"
def augment(images, seed, reach=2):
    """New images (N, C, H, W), each mirrored or not and moved by up to `reach` pixels."""
    g = torch.Generator().manual_seed(seed)
    n = len(images)
    new = images.clone()
    half = torch.randperm(n, generator=g)[: n // 2]
    new[half] = images[half].flip(-1)
    moves = torch.randint(-reach, reach + 1, (n, 2), generator=g).tolist()
    return torch.stack([picture.roll(m, (-2, -1)) for picture, m in zip(new, moves, strict=True)])
