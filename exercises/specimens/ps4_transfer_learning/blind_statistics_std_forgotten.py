# ---
# about: Looks at the mean only; a leaked standard deviation isn't noticed.
# blind: true
# fails:
#   test_statistics_leak: told a std too high, tolerance
# ---

# %% solution="statistics_leak"
def statistics_leak(images, train, mean, std, tolerance=1e-4):
    """Whether mean and std are not those of the training pictures (a bool)."""
    numbers = images[train].double() / 255
    own = numbers.mean((0, 2, 3)).tolist()
    return any(abs(float(a) - b) > tolerance for a, b in zip(mean, own, strict=False))
