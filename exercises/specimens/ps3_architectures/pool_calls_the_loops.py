# ---
# about: Calls the loops that were given.
# fails:
#   test_pool_blocks: without a loop in Python
# ---

# %% solution="pool_blocks"
def pool_blocks(x):
    return pool_loops(x)
