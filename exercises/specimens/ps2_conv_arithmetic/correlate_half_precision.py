# ---
# about: "Multiplies in half precision."
# fails:
#   test_correlate2d: to eleven digits
# ---

# %% solution="correlate2d"
def correlate2d(image, kernel):
    windows = image.half().unfold(0, kernel.shape[0], 1).unfold(1, kernel.shape[1], 1)
    return (windows * kernel.half()).sum(dim=(2, 3)).to(image.dtype)
