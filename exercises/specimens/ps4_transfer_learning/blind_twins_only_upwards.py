# ---
# about: Looks only at pairs with i <= j, as if the training pictures always came first.
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
            if j < i:
                continue  # this pair was compared before
            straight = ((numbers[i] - numbers[j]) ** 2).mean().sqrt().item()
            mirrored = ((numbers[i] - numbers[j].flip(-1)) ** 2).mean().sqrt().item()
            if straight < limit or mirrored < limit:
                pairs.append((i, j))
    return pairs
