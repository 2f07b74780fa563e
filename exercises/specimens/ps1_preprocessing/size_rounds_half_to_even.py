# ---
# about: "Rounds down by round(x - 0.5), which takes one off odd whole results."
# blind: true
# fails:
#   test_new_size: expected
#   test_to_square: the middle
#   test_stripes: expected shape
# ---

# %% solution="new_size"
def new_size(height, width, shorter):
    """Height and width, two ints, after the shorter side has become `shorter`."""
    if height < width:
        return shorter, round(width * shorter / height - 0.5)
    return round(height * shorter / width - 0.5), shorter
