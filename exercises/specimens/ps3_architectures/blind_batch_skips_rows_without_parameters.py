# ---
# about: Leaves out rows without parameters, and with them what the max pools keep.
# blind: true
# fails:
#   test_largest_batch: 31096 once, 3700 for each picture
# ---

# %% solution="largest_batch"
def largest_batch(rows, shape, memory, optimiser_numbers=1):
    once = 4 * (2 + optimiser_numbers) * sum(row.parameters for row in rows)
    each = 4 * int(np.prod(shape))
    for row in rows:
        if not row.parameters:
            continue
        each += KEPT_BYTES.get(row.layer, 0) * int(np.prod(row.shape))
    return max(0, (memory - once) // each)
