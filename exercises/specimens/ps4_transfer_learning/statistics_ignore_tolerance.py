# ---
# about: Has a tolerance of its own.
# fails:
#   test_statistics_leak: "(9, 3, 4, 7), train [3, 0, 5, 1], told a mean within th"
# ---

# %% solution="statistics_leak"
def statistics_leak(images, train, mean, std, tolerance=1e-4):
    """Whether mean and std are not those of the training pictures (a bool).

    images: bytes (N, C, H, W); train: a list of positions, at least one.
    """
    pictures = images[train].double() / 255
    own = pictures.mean(dim=(0, 2, 3)), pictures.std(dim=(0, 2, 3), correction=0)
    gaps = [
        torch.as_tensor(told).to(known) - known
        for told, known in zip((mean, std), own, strict=True)
    ]
    return bool(torch.stack(gaps).abs().max() > 1e-4)
