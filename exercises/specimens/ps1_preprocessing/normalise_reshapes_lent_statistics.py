# ---
# about: "Mean and deviation are reshaped in place, so a caller's tensors are changed."
# blind: true
# fails:
#   test_normalise: "torch.float32, mean a tensor: an input was changed"
# ---

# %% solution="normalise"
def normalise(images, mean, std):
    """Images (N, C, H, W), each channel less its mean and divided by its deviation."""
    mean = torch.as_tensor(mean, dtype=images.dtype)
    std = torch.as_tensor(std, dtype=images.dtype)
    if mean.ndim == 1:
        mean.unsqueeze_(-1).unsqueeze_(-1)
    if std.ndim == 1:
        std.unsqueeze_(-1).unsqueeze_(-1)
    return (images - mean) / std
