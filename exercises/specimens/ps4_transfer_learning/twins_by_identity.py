# ---
# about: Keeps the pictures of a tensor that it has seen, though one of them has changed.
# fails:
#   test_near_twins: "positions 2 and 7 on both sides, of two equal pictures"
# ---

# %% solution="near_twins"
_SEEN = []


def near_twins(images, train, test, limit):
    """The sorted list of pairs (i, j) of near twins, i from `train` and j from `test`."""
    pictures = next((kept for known, kept in _SEEN if known is images), None)
    if pictures is None:
        pictures = images / 255
        _SEEN.append((images, pictures))
    pairs = []
    for i in train:
        for j in test:
            versions = torch.stack([pictures[j], pictures[j].flip(-1)])
            distances = (versions - pictures[i]).square().mean(dim=(1, 2, 3)).sqrt()
            if distances.min() < limit:
                pairs.append((i, j))
    return sorted(pairs)
