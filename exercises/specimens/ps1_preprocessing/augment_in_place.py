# ---
# about: Writes the changed pictures over the originals, which drift further in each epoch.
# blind: true
# fails:
#   test_augment: "augment of eight equal pictures, reach=0: an input was changed: work on new valu"
#   test_augment_chance: "augment, seed=5: an input was changed: work on new values."
# ---

# %% solution="augment"
def augment(images, seed, reach=2):
    generator = torch.Generator().manual_seed(seed)
    for i in range(len(images)):
        if torch.rand((), generator=generator) < 0.5:
            images[i] = images[i].flip(2)
        down, right = torch.randint(-reach, reach + 1, (2,), generator=generator).tolist()
        images[i] = images[i].roll((down, right), (1, 2))
    return images
