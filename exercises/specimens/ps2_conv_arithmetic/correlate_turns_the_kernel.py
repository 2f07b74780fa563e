# ---
# about: Turns the kernel by 180°, as the convolution of mathematics does.
# blind: true
# fails:
#   test_correlate2d: A turned kernel gives 12
# ---

# %% solution="correlate2d"
def correlate2d(image, kernel):
    turned = kernel.flip(0, 1)
    rows = image.shape[0] - kernel.shape[0] + 1
    columns = image.shape[1] - kernel.shape[1] + 1
    result = image.new_zeros(rows, columns)
    for i in range(rows):
        for j in range(columns):
            window = image[i : i + kernel.shape[0], j : j + kernel.shape[1]]
            result[i, j] = (window * turned).sum()
    return result
