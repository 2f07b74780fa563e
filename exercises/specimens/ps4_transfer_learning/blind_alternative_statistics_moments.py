# ---
# about: "Right: statistics by the mean of squares less the square of the mean, channel by channel."
# blind: true
# ---

# %% solution="statistics_leak"
def statistics_leak(images, train, mean, std, tolerance=1e-4):
    """Whether mean and std are not those of the training pictures (a bool)."""
    chosen = images[list(train)].cpu().numpy()
    for channel in range(chosen.shape[1]):
        values = chosen[:, channel].astype(np.int64).ravel()
        centre = values.sum() / values.size
        spread = max((values**2).sum() / values.size - centre**2, 0.0) ** 0.5
        if abs(float(mean[channel]) - centre / 255) > tolerance:
            return True
        if abs(float(std[channel]) - spread / 255) > tolerance:
            return True
    return False
