# ---
# about: "Each quantity has its own generator of the same seed, so pictures only move diagonally."
# blind: true
# fails:
#   test_augment_chance: some combinations never come
#   test_loader_epochs: "Of 50 versions, 10 came"
# ---

# %% solution="augment"
def augment(images, seed, reach=2):
    """New images (N, C, H, W), each mirrored or not and moved by up to `reach` pixels."""
    n = len(images)

    def new_generator():
        return torch.Generator().manual_seed(seed)

    mirror = torch.rand(n, generator=new_generator()) < 0.5
    down = torch.randint(-reach, reach + 1, (n,), generator=new_generator())
    right = torch.randint(-reach, reach + 1, (n,), generator=new_generator())
    result = images.clone()
    for i in range(n):
        picture = images[i].flip(2) if mirror[i] else images[i]
        result[i] = torch.roll(picture, (down[i].item(), right[i].item()), (1, 2))
    return result
