# ---
# about: Statistics in float64 make float32 images float64.
# blind: true
# fails:
#   test_normalise: expected torch.float32
# ---

# %% solution="normalise"
def normalise(images, mean, std):
    """Images (N, C, H, W), each channel less its mean and divided by its deviation."""
    if not isinstance(mean, torch.Tensor):
        mean = torch.tensor(mean, dtype=images.dtype)
    if not isinstance(std, torch.Tensor):
        std = torch.tensor(std, dtype=images.dtype)
    return (images - mean[:, None, None]) / std[:, None, None]
