# ---
# about: Draws one number and uses it both down and right.
# blind: true
# fails:
#   test_augment_chance: "Draw mirroring, down and right one by one: some combinations"
#   test_loader_epochs: "Of 50 versions, 10 came"
# ---

# %% solution="augment"
def augment(images, seed, reach=2):
    generator = torch.Generator().manual_seed(seed)
    changed = []
    for image in images:
        if torch.rand((), generator=generator) < 0.5:
            image = image.flip(2)
        step = int(torch.randint(-reach, reach + 1, (), generator=generator))
        changed.append(image.roll((step, step), (1, 2)))
    return torch.stack(changed)
