# ---
# about: "It takes float() for a copy, so lent images that are float32 already are overwritten."
# blind: true
# fails:
#   test_normalise: "normalise of ones (1, 3, 3, 3): an input was changed: work on new values."
# ---

# %% solution="normalise"
def normalise(images, mean, std):
    """Images (N, C, H, W), each channel less its mean and divided by its deviation."""
    result = images.float()  # a copy to work on
    for channel in range(result.shape[1]):
        result[:, channel] -= mean[channel]
        result[:, channel] /= std[channel]
    return result
