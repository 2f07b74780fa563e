# ---
# about: Keeps the statistics by the address of the images, whatever stands there now.
# fails:
#   test_statistics_leak: "told 0.4375, tolerance 0.25: expected False"
# ---

# %% solution="statistics_leak"
_KNOWN = {}


def statistics_leak(images, train, mean, std, tolerance=1e-4):
    """Whether mean and std are not those of the training pictures (a bool)."""
    place = images.data_ptr(), images.shape, tuple(train)
    if place not in _KNOWN:
        pictures = images[train] / 255
        own = pictures.mean(dim=(0, 2, 3)), pictures.std(dim=(0, 2, 3), correction=0)
        _KNOWN[place] = images, own
    gaps = [
        torch.as_tensor(told).to(known) - known
        for told, known in zip((mean, std), _KNOWN[place][1], strict=True)
    ]
    return bool(torch.stack(gaps).abs().max() > tolerance)
