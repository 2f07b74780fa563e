# ---
# about: Compares without the absolute value, so numbers that are too small are no leak.
# blind: true
# fails:
#   test_statistics_leak: expected True, got False
# ---

# %% solution="statistics_leak"
def statistics_leak(images, train, mean, std, tolerance=1e-4):
    """Whether mean and std are not those of the training pictures (a bool)."""
    numbers = images[train].double() / 255
    own = numbers.mean((0, 2, 3)).tolist() + numbers.std((0, 2, 3), correction=0).tolist()
    given = [float(x) for x in mean] + [float(x) for x in std]
    return any(a - b > tolerance for a, b in zip(given, own, strict=False))
