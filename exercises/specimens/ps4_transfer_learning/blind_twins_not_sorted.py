# ---
# about: The pairs come in the order of the lists train and test, which need not be sorted.
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
            straight = ((numbers[i] - numbers[j]) ** 2).mean().sqrt().item()
            mirrored = ((numbers[i] - numbers[j].flip(-1)) ** 2).mean().sqrt().item()
            if straight < limit or mirrored < limit:
                pairs.append((i, j))
    return pairs
