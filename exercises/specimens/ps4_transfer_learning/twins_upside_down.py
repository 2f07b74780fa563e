# ---
# about: Mirrors top to bottom.
# fails:
#   test_near_twins: "expected [(0, 1), (0, 2)], got [(0, 2)]. The distances"
# ---

# %% solution="near_twins"
def near_twins(images, train, test, limit):
    """The sorted list of pairs (i, j) of near twins, i from `train` and j from `test`.

    images: bytes (N, C, H, W); train, test: lists of positions, each position once, in any order.
    """
    pictures = images.double() / 255
    pairs = []
    for i in train:
        for j in test:
            versions = torch.stack([pictures[j], pictures[j].flip(-2)])
            distances = (versions - pictures[i]).square().mean(dim=(1, 2, 3)).sqrt()
            if distances.min() < limit:
                pairs.append((int(i), int(j)))
    return sorted(pairs)
