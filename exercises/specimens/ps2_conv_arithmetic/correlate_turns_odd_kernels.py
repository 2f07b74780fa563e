# ---
# about: "Turns kernels with odd sides, as if those were convolved in earnest."
# blind: true
# fails:
#   test_correlate2d: no kernel is turned
# ---

# %% solution="correlate2d"
def correlate2d(image, kernel):
    """The cross-correlation of an image (H, W) with a kernel, without padding; stride 1."""
    k_h, k_w = kernel.shape
    rows, columns = output_size(image.shape[0], k_h), output_size(image.shape[1], k_w)
    if k_h % 2 and k_w % 2:
        kernel = kernel.flip(0, 1)
    out = image.new_zeros(rows, columns)
    for i in range(rows):
        for j in range(columns):
            out[i, j] = (image[i : i + k_h, j : j + k_w] * kernel).sum()
    return out
