# ---
# about: Forgets the parameters of layers that the table of kept bytes does not name.
# blind: true
# fails:
#   test_largest_batch: "once,"
# ---

# %% solution="largest_batch"
def largest_batch(rows, shape, memory, optimiser_numbers=1):
    once, each = 0, 4 * int(np.prod(shape))
    for row in rows:
        if row.layer not in KEPT_BYTES:
            continue
        once += 4 * (2 + optimiser_numbers) * row.parameters
        each += KEPT_BYTES[row.layer] * int(np.prod(row.shape))
    return max((memory - once) // each, 0)
