# ---
# about: Takes the max pool out of the features of part 1.
# blind: true
# fails:
#   test_pool_blocks: "does a step of yours (pooling)"
# ---

# %% solution="pool_blocks"
def pool_blocks(x):
    if min(x.shape[2:]) < 2:
        return x.new_zeros(*x.shape[:2], x.shape[2] // 2, x.shape[3] // 2)
    return features(["M"])(x)
