# ---
# about: Adds the bytes in single precision, so that large sums are rounded.
# blind: true
# fails:
#   test_largest_batch: 144115205255725104 once
# ---

# %% solution="largest_batch"
def largest_batch(rows, shape, memory, optimiser_numbers=1):
    once = 4 * (2 + optimiser_numbers) * sum(row.parameters for row in rows)
    each = 4 * int(np.prod(shape))
    for row in rows:
        each += KEPT_BYTES.get(row.layer, 0) * int(np.prod(row.shape))
    once = int(torch.tensor(float(once)).item())
    each = int(torch.tensor(float(each)).item())
    return max(0, (memory - once) // each)
