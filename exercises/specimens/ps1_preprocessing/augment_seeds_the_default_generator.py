# ---
# about: "Seeds the generator that everybody shares, by its other name."
# blind: true
# fails:
#   test_augment: draw from a generator of your own
#   test_augment_chance: draw from a generator of your own
#   test_loader: draw from a generator of your own
#   test_loader_epochs: draw from a generator of your own
#   test_make_loaders: draw from a generator of your own
# ---

# %% solution="augment"
def augment(images, seed, reach=2):
    """New images (N, C, H, W), each mirrored or not and moved by up to `reach` pixels."""
    generator = torch.default_generator.manual_seed(seed)
    new = []
    for picture in images:
        if torch.rand((), generator=generator) < 0.5:
            picture = picture.flip(-1)
        down, right = torch.randint(-reach, reach + 1, (2,), generator=generator).tolist()
        new.append(torch.roll(picture, (down, right), dims=(-2, -1)))
    return torch.stack(new)
