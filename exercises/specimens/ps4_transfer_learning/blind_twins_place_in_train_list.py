# ---
# about: The first number of a pair is the place in the list train, not the position in images.
# blind: true
# fails:
#   test_near_twins: 12 pictures of
# ---

# %% solution="near_twins"
def near_twins(images, train, test, limit):
    """The sorted list of pairs (i, j) of near twins, i from `train` and j from `test`."""
    numbers = images.double() / 255
    training = numbers[train]
    pairs = []
    for i in range(len(train)):
        for j in test:
            straight = ((training[i] - numbers[j]) ** 2).mean().sqrt().item()
            mirrored = ((training[i] - numbers[j].flip(-1)) ** 2).mean().sqrt().item()
            if straight < limit or mirrored < limit:
                pairs.append((i, j))
    return sorted(pairs)
