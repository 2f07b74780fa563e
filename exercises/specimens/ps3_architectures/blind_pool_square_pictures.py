# ---
# about: Takes the number of columns for that of rows; a wide picture is cut off.
# blind: true
# fails:
#   test_pool_blocks: is invalid for input of size
# ---

# %% solution="pool_blocks"
def pool_blocks(x):
    n, channels, rows = x.shape[0], x.shape[1], x.shape[2] // 2
    x = x[:, :, : 2 * rows, : 2 * rows]
    return x.reshape(n, channels, rows, 2, rows, 2).amax(dim=(3, 5))
