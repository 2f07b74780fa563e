# ---
# about: Wants the memory to be larger than what is needed, not equal.
# blind: true
# fails:
#   test_largest_batch: 31096 once, 3700 for each picture
# ---

# %% solution="largest_batch"
def largest_batch(rows, shape, memory, optimiser_numbers=1):
    once = 4 * (2 + optimiser_numbers) * sum(row.parameters for row in rows)
    each = 4 * int(np.prod(shape))
    for row in rows:
        each += KEPT_BYTES.get(row.layer, 0) * int(np.prod(row.shape))
    return max(0, (memory - once - 1) // each)
