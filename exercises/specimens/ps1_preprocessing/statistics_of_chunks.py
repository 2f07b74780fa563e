# ---
# about: Averages the statistics of chunks of 64 pictures.
# blind: true
# fails:
#   test_channel_statistics: Average over pictures
# ---

# %% solution="channel_statistics"
def channel_statistics(images):
    """Mean and standard deviation, two tensors (C,), of each channel of images (N, C, H, W)."""
    # in chunks, for the memory
    chunks = images.split(64)
    means = torch.stack([chunk.mean(dim=(0, 2, 3)) for chunk in chunks])
    stds = torch.stack([chunk.std(dim=(0, 2, 3), correction=0) for chunk in chunks])
    return means.mean(dim=0), stds.mean(dim=0)
