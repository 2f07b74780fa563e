# ---
# about: "It takes the kernel's height for its width too, as if all were square."
# blind: true
# fails:
#   test_correlate2d: size of tensor
# ---

# %% solution="correlate2d"
def correlate2d(image, kernel):
    """The cross-correlation of an image (H, W) with a kernel, without padding; stride 1."""
    k = kernel.shape[0]
    rows = output_size(image.shape[0], k)
    columns = output_size(image.shape[1], k)
    result = image.new_zeros(rows, columns)
    for i in range(rows):
        for j in range(columns):
            result[i, j] = (image[i : i + k, j : j + k] * kernel).sum()
    return result
