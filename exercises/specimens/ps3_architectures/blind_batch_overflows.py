# ---
# about: Counts the bytes in 32 bits, which 2 GiB of parameters overflow.
# blind: true
# fails:
#   test_largest_batch: 144115205255725104 once
# ---

# %% solution="largest_batch"
def largest_batch(rows, shape, memory, optimiser_numbers=1):
    once = 4 * (2 + optimiser_numbers) * sum(row.parameters for row in rows)
    once = int(torch.tensor(once).to(torch.int32))
    each = 4 * int(np.prod(shape))
    for row in rows:
        each += KEPT_BYTES.get(row.layer, 0) * int(np.prod(row.shape))
    return max(0, (memory - once) // each)
