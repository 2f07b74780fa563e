# ---
# about: "It makes the output with the default dtype, whatever the image's dtype is."
# blind: true
# fails:
#   test_correlate2d: expected torch.float64
# ---

# %% solution="correlate2d"
def correlate2d(image, kernel):
    """The cross-correlation of an image (H, W) with a kernel, without padding; stride 1."""
    k_h, k_w = kernel.shape
    rows = output_size(image.shape[0], k_h)
    columns = output_size(image.shape[1], k_w)
    result = torch.zeros(rows, columns, device=image.device)
    for i in range(rows):
        for j in range(columns):
            result[i, j] = torch.sum(image[i : i + k_h, j : j + k_w] * kernel)
    return result
