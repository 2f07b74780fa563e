# ---
# about: "A generator of its own for each picture, from seed + i: neighbouring seeds repeat draws."
# blind: true
# fails:
#   test_augment_chance: one generator a call
# ---

# %% solution="augment"
def augment(images, seed, reach=2):
    """New images (N, C, H, W), each mirrored or not and moved by up to `reach` pixels."""
    new = []
    for i, picture in enumerate(images):
        generator = torch.Generator().manual_seed(seed + i)
        if torch.rand((), generator=generator) < 0.5:
            picture = picture.flip(-1)
        down, right = torch.randint(-reach, reach + 1, (2,), generator=generator).tolist()
        new.append(torch.roll(picture, (down, right), dims=(-2, -1)))
    return torch.stack(new)
