# ---
# about: Counts a distance equal to the limit as near (<= instead of <).
# blind: true
# fails:
#   test_near_twins: no distance is less than
# ---

# %% solution="near_twins"
def near_twins(images, train, test, limit):
    """The sorted list of pairs (i, j) of near twins, i from `train` and j from `test`."""
    numbers = images.double() / 255
    pairs = []
    for i in sorted(train):
        for j in sorted(test):
            straight = ((numbers[i] - numbers[j]) ** 2).mean().sqrt().item()
            mirrored = ((numbers[i] - numbers[j].flip(-1)) ** 2).mean().sqrt().item()
            if min(straight, mirrored) <= limit:
                pairs.append((i, j))
    return pairs
