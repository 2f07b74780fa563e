# ---
# about: Takes the mean of the pictures' standard deviations, not the one over all pixels.
# blind: true
# fails:
#   test_statistics_leak: told its own
# ---

# %% solution="statistics_leak"
def statistics_leak(images, train, mean, std, tolerance=1e-4):
    """Whether mean and std are not those of the training pictures (a bool)."""
    numbers = images[train].double() / 255
    own_mean = numbers.mean((0, 2, 3)).tolist()
    own_std = numbers.std((2, 3), correction=0).mean(0).tolist()
    given = [float(x) for x in mean] + [float(x) for x in std]
    return any(abs(a - b) > tolerance for a, b in zip(given, own_mean + own_std, strict=False))
