# ---
# about: The loops over the windows stand in a helper, as comprehensions.
# blind: true
# fails:
#   test_pool_blocks: more than 60 operations
# ---

# %% solution="pool_blocks"
def each_window(x, rows, columns):
    return torch.stack(
        [
            torch.stack(
                [x[:, :, 2 * r : 2 * r + 2, 2 * k : 2 * k + 2].amax((2, 3)) for k in columns], -1
            )
            for r in rows
        ],
        -2,
    )


def pool_blocks(x):
    return each_window(x, range(x.shape[2] // 2), range(x.shape[3] // 2))
