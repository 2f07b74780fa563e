# ---
# about: Mirrors top to bottom instead of left to right.
# blind: true
# fails:
#   test_augment: is neither the picture nor its mirror image, left to right
#   test_augment_chance: a picture is neither the original nor its mirror image, moved
#   test_loader_epochs: a picture is neither the original nor its mirror image, moved
# ---

# %% solution="augment"
def augment(images, seed, reach=2):
    generator = torch.Generator().manual_seed(seed)
    changed = []
    for image in images:
        if torch.rand((), generator=generator) < 0.5:
            image = image.flip(1)
        down, right = torch.randint(-reach, reach + 1, (2,), generator=generator).tolist()
        changed.append(image.roll((down, right), (1, 2)))
    return torch.stack(changed)
