# ---
# about: Fills one list at each call, so that an earlier result changes.
# fails:
#   test_near_twins: "the first list, after other calls"
# ---

# %% solution="near_twins"
_PAIRS = []


def near_twins(images, train, test, limit):
    """The sorted list of pairs (i, j) of near twins, i from `train` and j from `test`."""
    pictures = images / 255
    _PAIRS.clear()
    for i in sorted(train):
        for j in sorted(test):
            versions = torch.stack([pictures[j], pictures[j].flip(-1)])
            distances = (versions - pictures[i]).square().mean(dim=(1, 2, 3)).sqrt()
            if distances.min() < limit:
                _PAIRS.append((i, j))
    return _PAIRS
