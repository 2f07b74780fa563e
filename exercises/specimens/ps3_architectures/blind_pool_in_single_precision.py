# ---
# about: Goes through a float32 array of numpy, and loses the dtype.
# blind: true
# fails:
#   test_pool_blocks: expected torch.float64 on cpu
# ---

# %% solution="pool_blocks"
def pool_blocks(x):
    n, channels, rows, columns = x.shape[0], x.shape[1], x.shape[2] // 2, x.shape[3] // 2
    blocks = x.numpy().astype(np.float32)[:, :, : 2 * rows, : 2 * columns]
    blocks = blocks.reshape(n, channels, rows, 2, columns, 2)
    return torch.from_numpy(blocks.max(axis=(3, 5)))
