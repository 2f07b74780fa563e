# ---
# about: The squared differences are added up over the channels and averaged over rows and
#   columns only.
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
            straight = (numbers[i] - numbers[j]).pow(2).sum(0).mean().sqrt()
            mirrored = (numbers[i] - numbers[j].flip(-1)).pow(2).sum(0).mean().sqrt()
            if min(straight, mirrored) < limit:
                pairs.append((i, j))
    return pairs
