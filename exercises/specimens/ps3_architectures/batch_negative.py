# ---
# about: A network that does not fit gives a negative batch.
# fails:
#   test_largest_batch: "The parameters alone don't fit"
# ---

# %% solution="largest_batch"
def largest_batch(rows, shape, memory, optimiser_numbers=1):
    """How many pictures of `shape` fit (int); rows: as layer_table gives them; memory: bytes."""
    once = 4 * (2 + optimiser_numbers) * sum(row.parameters for row in rows)
    picture = 4 * int(np.prod(shape))
    for row in rows:
        picture += KEPT_BYTES.get(row.layer, 0) * int(np.prod(row.shape))
    return (memory - once) // picture
