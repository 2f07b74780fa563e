# ---
# about: Puts the rows into a set, so that equal rows count once.
# blind: true
# fails:
#   test_largest_batch: 480 once, 60 for each picture
# ---

# %% solution="largest_batch"
def largest_batch(rows, shape, memory, optimiser_numbers=1):
    rows = set(rows)
    once = 4 * (2 + optimiser_numbers) * sum(row.parameters for row in rows)
    each = 4 * int(np.prod(shape))
    for row in rows:
        each += KEPT_BYTES.get(row.layer, 0) * int(np.prod(row.shape))
    return max(0, (memory - once) // each)
