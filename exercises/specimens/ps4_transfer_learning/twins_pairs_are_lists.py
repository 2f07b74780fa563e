# ---
# about: Gives lists of two in place of tuples.
# fails:
#   test_near_twins: "got [[0, 1], [0, 2]]"
# ---

# %% solution="near_twins"
def near_twins(images, train, test, limit):
    """The sorted list of pairs (i, j) of near twins, i from `train` and j from `test`."""
    pictures = images / 255
    pairs = []
    for i in train:
        for j in test:
            versions = torch.stack([pictures[j], pictures[j].flip(-1)])
            distances = (versions - pictures[i]).square().mean(dim=(1, 2, 3)).sqrt()
            if distances.min() < limit:
                pairs.append([i, j])
    return sorted(pairs)
