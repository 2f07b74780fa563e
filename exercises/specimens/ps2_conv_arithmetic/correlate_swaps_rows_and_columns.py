# ---
# about: "Takes the kernel's height for its width; right for square kernels."
# blind: true
# fails:
#   test_correlate2d: Multiply each pixel by the weight on top of it, and add up
# ---

# %% solution="correlate2d"
def correlate2d(image, kernel):
    width, height = kernel.shape
    rows = image.shape[0] - height + 1
    columns = image.shape[1] - width + 1
    result = image.new_zeros(rows, columns)
    for i in range(rows):
        for j in range(columns):
            for a in range(height):
                for b in range(width):
                    result[i, j] += image[i + a, j + b] * kernel.T[a, b]
    return result
