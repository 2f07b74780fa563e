# ---
# about: A pair that is near both straight and mirrored (a symmetric picture) comes twice.
# blind: true
# fails:
#   test_near_twins: 12 pictures of
# ---

# %% solution="near_twins"
def near_twins(images, train, test, limit):
    """The sorted list of pairs (i, j) of near twins, i from `train` and j from `test`."""
    numbers = images.double() / 255
    pairs = []
    for i in train:
        for j in test:
            for other in (numbers[j], numbers[j].flip(-1)):
                if ((numbers[i] - other) ** 2).mean().sqrt().item() < limit:
                    pairs.append((i, j))
    return sorted(pairs)
