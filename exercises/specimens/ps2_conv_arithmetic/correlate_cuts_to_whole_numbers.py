# ---
# about: "Cuts the sums to whole numbers."
# blind: true
# fails:
#   test_correlate2d: Rows come first
# ---

# %% solution="correlate2d"
def correlate2d(image, kernel):
    """The cross-correlation of an image (H, W) with a kernel, without padding; stride 1."""
    k_h, k_w = kernel.shape
    rows, columns = output_size(image.shape[0], k_h), output_size(image.shape[1], k_w)
    out = image.new_zeros(rows, columns)
    for i in range(rows):
        for j in range(columns):
            out[i, j] = (image[i : i + k_h, j : j + k_w] * kernel).sum().int()
    return out
