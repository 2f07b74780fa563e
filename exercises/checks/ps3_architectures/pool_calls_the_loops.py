# ---
# about: Calls the loops that were given.
# fails:
#   test_pool_blocks: pool_blocks has a loop
# ---

# %% solution="pool_blocks"
def pool_blocks(x):
    return pool_loops(x)
