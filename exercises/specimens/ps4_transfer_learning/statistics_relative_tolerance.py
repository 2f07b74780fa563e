# ---
# about: Adds two hundredths of the value to the tolerance.
# blind: true
# fails:
#   test_statistics_leak: expected True
# ---

# %% solution="statistics_leak"
def statistics_leak(images, train, mean, std, tolerance=1e-4):
    numbers = images[train].double() / 255
    own = [numbers.mean((0, 2, 3)), numbers.std((0, 2, 3), correction=0)]
    given = [torch.as_tensor(x, dtype=torch.float64, device=images.device) for x in (mean, std)]
    return not all(
        torch.allclose(a, b, rtol=0.02, atol=tolerance) for a, b in zip(own, given, strict=True)
    )
