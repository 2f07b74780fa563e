# ---
# about: Finds the largest batch by doubling and halving, without a division.
# blind: true
# ---

# %% solution="largest_batch"
def largest_batch(rows, shape, memory, optimiser_numbers=1):
    def size(sides):
        total = 1
        for side in sides:
            total *= side
        return total

    def needed(batch):
        kept = 4 * size(shape)
        kept += sum(
            KEPT_BYTES[row.layer] * size(row.shape) for row in rows if row.layer in KEPT_BYTES
        )
        numbers = sum(row.parameters for row in rows)
        return 4 * numbers * (optimiser_numbers + 2) + batch * kept

    low, high = 0, 1
    while needed(high) <= memory:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if needed(middle) <= memory:
            low = middle
        else:
            high = middle
    return low
