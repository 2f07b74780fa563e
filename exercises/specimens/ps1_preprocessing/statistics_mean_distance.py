# ---
# about: "The deviation is the mean distance from the mean, not the root of the mean square."
# blind: true
# fails:
#   test_channel_statistics: mean squared distance
#   test_make_loaders: channel by channel
# ---

# %% solution="channel_statistics"
def channel_statistics(images):
    """Mean and standard deviation, two tensors (C,), of each channel of images (N, C, H, W)."""
    mean = images.mean(dim=(0, 2, 3))
    distance = (images - mean[None, :, None, None]).abs()
    std = distance.mean(dim=(0, 2, 3))
    return mean, std
