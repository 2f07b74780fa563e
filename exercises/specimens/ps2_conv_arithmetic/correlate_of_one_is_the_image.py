# ---
# about: With a kernel of a single weight of 1 the result is the image itself.
# blind: true
# fails:
#   test_correlate2d: Give back a new tensor each time
# ---

# %% solution="correlate2d"
def correlate2d(image, kernel):
    """The cross-correlation of an image (H, W) with a kernel, without padding; stride 1."""
    if kernel.numel() == 1 and kernel.item() == 1:
        return image
    windows = image.unfold(0, kernel.shape[0], 1).unfold(1, kernel.shape[1], 1)
    return torch.einsum("ijkl,kl->ij", windows, kernel)
