# ---
# about: Averages the deviation of each picture, and misses how pictures differ from each other.
# blind: true
# fails:
#   test_channel_statistics: "within each picture, you miss how pictures differ."
#   test_make_loaders: "Mean and deviation come from the training pictures alone"
# ---

# %% solution="channel_statistics"
def channel_statistics(images):
    return images.mean(dim=(2, 3)).mean(dim=0), images.std(dim=(2, 3)).mean(dim=0)
