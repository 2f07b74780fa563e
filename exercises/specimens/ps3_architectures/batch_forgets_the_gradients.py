# ---
# about: Counts weights and what the optimiser keeps, and no gradients.
# fails:
#   test_largest_batch: for each picture
# ---

# %% solution="largest_batch"
def largest_batch(rows, shape, memory, optimiser_numbers=1):
    """How many pictures of `shape` fit (int); rows: as layer_table gives them; memory: bytes."""
    once = 4 * (1 + optimiser_numbers) * sum(row.parameters for row in rows)
    picture = 4 * int(np.prod(shape))
    for row in rows:
        picture += KEPT_BYTES.get(row.layer, 0) * int(np.prod(row.shape))
    return max(0, (memory - once) // picture)
