# ---
# about: Seeds the generator that the whole notebook shares.
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
    torch.manual_seed(seed)
    changed = []
    for image in images:
        if torch.rand(()) < 0.5:
            image = image.flip(2)
        down, right = torch.randint(-reach, reach + 1, (2,)).tolist()
        changed.append(image.roll((down, right), (1, 2)))
    return torch.stack(changed)
