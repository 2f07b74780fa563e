# ---
# about: Uses the first len(train) pictures in place of those at the positions in train.
# blind: true
# fails:
#   test_statistics_leak: told its own
# ---

# %% solution="statistics_leak"
def statistics_leak(images, train, mean, std, tolerance=1e-4):
    """Whether mean and std are not those of the training pictures (a bool)."""
    numbers = images[: len(train)].double() / 255
    own = numbers.mean((0, 2, 3)).tolist() + numbers.std((0, 2, 3), correction=0).tolist()
    given = [float(x) for x in mean] + [float(x) for x in std]
    return any(abs(a - b) > tolerance for a, b in zip(given, own, strict=False))
