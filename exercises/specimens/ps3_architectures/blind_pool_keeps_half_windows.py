# ---
# about: Fills an odd row or column up with the smallest number, and pools it, too.
# blind: true
# fails:
#   test_pool_blocks: Rows and columns are both split into pairs
# ---

# %% solution="pool_blocks"
def pool_blocks(x):
    x = F.pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2), value=float("-inf"))
    n, channels, rows, columns = x.shape[0], x.shape[1], x.shape[2] // 2, x.shape[3] // 2
    return x.reshape(n, channels, rows, 2, columns, 2).amax(dim=(3, 5))
