# ---
# about: Multiplies in place, and so writes into the image that it was lent.
# blind: true
# fails:
#   test_correlate2d: an input was changed
# ---

# %% solution="correlate2d"
def correlate2d(image, kernel):
    height, width = kernel.shape
    rows, columns = image.shape[0] - height + 1, image.shape[1] - width + 1
    result = image.new_zeros(rows, columns)
    for i in range(rows):
        for j in range(columns):
            window = image[i : i + height, j : j + width]
            window *= kernel
            result[i, j] = window.sum()
    return result
