# ---
# about: The positions in the pairs are numpy integers, not Python ints.
# blind: true
# fails:
#   test_near_twins: 12 pictures of
# ---

# %% solution="near_twins"
def near_twins(images, train, test, limit):
    """The sorted list of pairs (i, j) of near twins, i from `train` and j from `test`."""
    numbers = images.cpu().numpy().astype(np.float64) / 255
    train, test = np.sort(np.array(train, dtype=int)), np.sort(np.array(test, dtype=int))
    pairs = []
    for i in train:
        for j in test:
            straight = np.sqrt(np.mean((numbers[i] - numbers[j]) ** 2))
            mirrored = np.sqrt(np.mean((numbers[i] - numbers[j][..., ::-1]) ** 2))
            if straight < limit or mirrored < limit:
                pairs.append((i, j))
    return pairs
