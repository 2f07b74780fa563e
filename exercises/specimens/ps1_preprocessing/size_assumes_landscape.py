# ---
# about: Takes the height for the shorter side, as it is in every wide photograph.
# blind: true
# fails:
#   test_new_size: "The shorter side is exact; the other one keeps the ratio and is rounded down."
#   test_to_square: "expected shape (1, 8, 8)"
#   test_to_batch: "stack expects each tensor to be equal size, but got [3, 8, 8]"
# ---

# %% solution="new_size"
def new_size(height, width, shorter):
    return shorter, width * shorter // height
