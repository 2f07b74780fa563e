# ---
# about: "Seeds PyTorch's generator, so that results can be repeated."
# fails:
#   test_correlate2d: global random generator was seeded
# ---

# %% solution="correlate2d"
def correlate2d(image, kernel):
    torch.manual_seed(0)
    windows = image.unfold(0, kernel.shape[0], 1).unfold(1, kernel.shape[1], 1)
    return (windows * kernel).sum(dim=(2, 3))
