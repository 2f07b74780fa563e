# ---
# about: Turns a list of statistics into float32, for float64 images too.
# blind: true
# fails:
#   test_normalise: Subtract the channel's mean
# ---

# %% solution="normalise"
def normalise(images, mean, std):
    """Images (N, C, H, W), each channel less its mean and divided by its deviation."""
    mean, std = torch.tensor(mean), torch.tensor(std)
    return (images - mean.to(images).view(-1, 1, 1)) / std.to(images).view(-1, 1, 1)
