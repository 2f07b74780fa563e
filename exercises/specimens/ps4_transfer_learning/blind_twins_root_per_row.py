# ---
# about: Takes the root row by row and then the mean of the roots, not one root of the mean over
#   all.
# blind: true
# fails:
#   test_near_twins: 12 pictures of
# ---

# %% solution="near_twins"
def near_twins(images, train, test, limit):
    """The sorted list of pairs (i, j) of near twins, i from `train` and j from `test`."""
    numbers = images.double() / 255
    pairs = []
    for i in sorted(train):
        for j in sorted(test):
            for other in (numbers[j], numbers[j].flip(-1)):
                distance = (numbers[i] - other).pow(2).mean(-1).sqrt().mean()
                if distance < limit:
                    pairs.append((i, j))
                    break
    return pairs
