# ---
# about: Takes randint's upper end for one of the numbers that it draws.
# blind: true
# fails:
#   test_augment_chance: "All should be about as likely"
#   test_loader_epochs: "Of 50 versions, 32 came: augment with its own reach of 2."
# ---

# %% solution="augment"
def augment(images, seed, reach=2):
    generator = torch.Generator().manual_seed(seed)
    changed = []
    for image in images:
        if torch.rand((), generator=generator) < 0.5:
            image = image.flip(2)
        down, right = torch.randint(-reach, max(reach, 1), (2,), generator=generator).tolist()
        changed.append(image.roll((down, right), (1, 2)))
    return torch.stack(changed)
