# ---
# about: Seed 0 counts as no seed.
# blind: true
# fails:
#   test_augment_chance: it gave another picture before
# ---

# %% solution="augment"
def augment(images, seed=None, reach=2):
    """New images (N, C, H, W), each mirrored or not and moved by up to `reach` pixels."""
    g = torch.Generator()
    if seed:
        g.manual_seed(seed)
    else:
        g.seed()
    new = []
    for picture in images:
        if torch.rand(1, generator=g) < 0.5:
            picture = picture.flip(-1)
        d, r = torch.randint(-reach, reach + 1, (2,), generator=g).tolist()
        new.append(picture.roll((d, r), (-2, -1)))
    return torch.stack(new)
