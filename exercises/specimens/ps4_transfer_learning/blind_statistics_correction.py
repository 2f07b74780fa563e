# ---
# about: Divides by the number of pixels less one (PyTorch's default std).
# blind: true
# fails:
#   test_statistics_leak: told its own
# ---

# %% solution="statistics_leak"
def statistics_leak(images, train, mean, std, tolerance=1e-4):
    """Whether mean and std are not those of the training pictures (a bool)."""
    numbers = images[train].double() / 255
    own_mean, own_std = numbers.mean((0, 2, 3)), numbers.std((0, 2, 3))
    for got, own in ((mean, own_mean), (std, own_std)):
        for a, b in zip(got, own.tolist(), strict=False):
            if abs(float(a) - b) > tolerance:
                return True
    return False
