# ---
# about: Makes the longer side 224, so that the shorter one is too short for the crop.
# blind: true
# fails:
#   test_new_size: "The shorter side is exact; the other one keeps the ratio and is rounded down."
#   test_to_square: "divide by 255, the largest byte"
#   test_to_batch: "stack expects each tensor to be equal size, but got [3, 2, 8]"
# ---

# %% solution="new_size"
def new_size(height, width, shorter):
    long = max(height, width)
    return height * shorter // long, width * shorter // long
