# ---
# about: "Right: near twins with whole numbers in numpy, all test pictures at once, helper
#   function."
# blind: true
# ---

# %% solution="near_twins"
def _root_mean_square(a, others):
    difference = (others - a).reshape(len(others), -1)
    return np.sqrt((difference**2).mean(1)) / 255


def near_twins(images, train, test, limit):
    """The sorted list of pairs (i, j) of near twins, i from `train` and j from `test`."""
    if len(train) == 0 or len(test) == 0:
        return []
    whole = images.detach().cpu().numpy().astype(np.int64)
    shown = whole[list(test)]
    found = set()
    for i in train:
        picture = whole[i]
        near = _root_mean_square(picture, shown) < limit
        near |= _root_mean_square(picture[:, :, ::-1], shown) < limit
        for place in np.flatnonzero(near):
            found.add((int(i), int(test[place])))
    return sorted(found)
