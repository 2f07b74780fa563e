# ---
# about: Divides with / and cuts off, which is wrong by one for large whole numbers.
# blind: true
# fails:
#   test_largest_batch: Divide whole numbers with //
# ---

# %% solution="largest_batch"
def largest_batch(rows, shape, memory, optimiser_numbers=1):
    once = 4 * (2 + optimiser_numbers) * sum(row.parameters for row in rows)
    each = 4 * int(np.prod(shape))
    for row in rows:
        each += KEPT_BYTES.get(row.layer, 0) * int(np.prod(row.shape))
    return max(0, int((memory - once) / each))
