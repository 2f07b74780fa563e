# ---
# about: Keeps one training twin for each test picture only (a dictionary by j), so further
#   twins are lost.
# blind: true
# fails:
#   test_near_twins: 12 pictures of
# ---

# %% solution="near_twins"
def near_twins(images, train, test, limit):
    """The sorted list of pairs (i, j) of near twins, i from `train` and j from `test`."""
    numbers = images.double() / 255
    found = {}
    for i in sorted(train):
        for j in sorted(test):
            straight = ((numbers[i] - numbers[j]) ** 2).mean().sqrt().item()
            mirrored = ((numbers[i] - numbers[j].flip(-1)) ** 2).mean().sqrt().item()
            if straight < limit or mirrored < limit:
                found[j] = i
    return sorted((i, j) for j, i in found.items())
