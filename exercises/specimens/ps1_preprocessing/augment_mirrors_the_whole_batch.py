# ---
# about: Tosses one coin for the batch instead of one for each picture.
# blind: true
# fails:
#   test_augment_chance: "toss a coin for each picture"
#   test_loader_epochs: "Of 50 versions, 27 came: augment with its own reach of 2."
# ---

# %% solution="augment"
def augment(images, seed, reach=2):
    generator = torch.Generator().manual_seed(seed)
    if torch.rand((), generator=generator) < 0.5:
        images = images.flip(3)
    down, right = torch.randint(-reach, reach + 1, (2,), generator=generator).tolist()
    return images.roll((down, right), (2, 3))
