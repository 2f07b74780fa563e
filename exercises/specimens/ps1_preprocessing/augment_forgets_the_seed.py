# ---
# about: Draws the numbers that everybody draws, so that the seed repeats nothing.
# blind: true
# fails:
#   test_augment: "everybody else's"
#   test_augment_chance: "everybody else's"
#   test_loader: "everybody else's"
#   test_loader_epochs: "everybody else's"
#   test_make_loaders: "everybody else's"
# ---

# %% solution="augment"
def augment(images, seed, reach=2):
    changed = []
    for image in images:
        if torch.rand(()) < 0.5:
            image = image.flip(2)
        down, right = torch.randint(-reach, reach + 1, (2,)).tolist()
        changed.append(image.roll((down, right), (1, 2)))
    return torch.stack(changed)
