# ---
# about: The larger of four pictures, each of which holds one corner of all blocks.
# blind: true
# ---

# %% solution="pool_blocks"
def pool_blocks(x):
    height, width = x.shape[2] // 2 * 2, x.shape[3] // 2 * 2
    upper, lower = x[..., 0:height:2, :width], x[..., 1:height:2, :width]
    taller = torch.maximum(upper, lower)
    return torch.maximum(taller[..., 0::2], taller[..., 1::2])
