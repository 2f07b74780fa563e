# ---
# about: Compares with the statistics of all pictures.
# fails:
#   test_statistics_leak: "picture 0 is black: expected False for mean [0.0] and s"
# ---

# %% solution="statistics_leak"
def statistics_leak(images, train, mean, std, tolerance=1e-4):
    """Whether mean and std are not those of the training pictures (a bool).

    images: bytes (N, C, H, W); train: a list of positions, at least one.
    """
    pictures = images.double() / 255
    own = pictures.mean(dim=(0, 2, 3)), pictures.std(dim=(0, 2, 3), correction=0)
    gaps = [
        torch.as_tensor(told).to(known) - known
        for told, known in zip((mean, std), own, strict=True)
    ]
    return bool(torch.stack(gaps).abs().max() > tolerance)
