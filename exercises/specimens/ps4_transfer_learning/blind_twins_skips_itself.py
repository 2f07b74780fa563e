# ---
# about: Leaves out a position that is in both lists, though it is a pair with itself.
# blind: true
# fails:
#   test_near_twins: the same picture on both sides
# ---

# %% solution="near_twins"
def near_twins(images, train, test, limit):
    """The sorted list of pairs (i, j) of near twins, i from `train` and j from `test`."""
    numbers = images.double() / 255
    pairs = []
    for i in sorted(train):
        for j in sorted(test):
            if i == j:
                continue
            straight = ((numbers[i] - numbers[j]) ** 2).mean().sqrt().item()
            mirrored = ((numbers[i] - numbers[j].flip(-1)) ** 2).mean().sqrt().item()
            if straight < limit or mirrored < limit:
                pairs.append((i, j))
    return pairs
