# ---
# about: Hides the loop over the windows in a helper.
# blind: true
# fails:
#   test_pool_blocks: "without a loop in Python"
# ---

# %% solution="pool_blocks"
def maxima(x, rows, columns):
    y = x.new_zeros(x.shape[0], x.shape[1], rows, columns)
    for row in range(rows):
        for column in range(columns):
            block = x[:, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
            y[:, :, row, column] = block.amax(dim=(2, 3))
    return y


def pool_blocks(x):
    return maxima(x, x.shape[2] // 2, x.shape[3] // 2)
