# ---
# about: Looks at one channel only.
# fails:
#   test_near_twins: "12 pictures of (3, 6, 9), train [8, 1, 3, 0, 6], test ["
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
            versions = torch.stack([pictures[j], pictures[j].flip(-1)])
            distances = (versions - pictures[i])[:, :1].square().mean(dim=(1, 2, 3)).sqrt()
            if distances.min() < limit:
                pairs.append((int(i), int(j)))
    return sorted(pairs)
