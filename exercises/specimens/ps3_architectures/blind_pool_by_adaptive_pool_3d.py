# ---
# about: Lets PyTorch's adaptive pool for volumes do it.
# blind: true
# fails:
#   test_pool_blocks: "does a step of yours (pooling)"
# ---

# %% solution="pool_blocks"
def pool_blocks(x):
    rows, columns = x.shape[2] // 2, x.shape[3] // 2
    even = x[:, :, : 2 * rows, : 2 * columns]
    return F.adaptive_max_pool3d(even.unsqueeze(1), (x.shape[1], rows, columns)).squeeze(1)
