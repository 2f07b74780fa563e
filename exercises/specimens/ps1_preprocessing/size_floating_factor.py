# ---
# about: "The longer side is multiplied by a float, so an exact multiple can lose a pixel."
# blind: true
# fails:
#   test_new_size: Stay with whole numbers
# ---

# %% solution="new_size"
def new_size(height, width, shorter):
    """Height and width, two ints, after the shorter side has become `shorter`."""
    if height <= width:
        scale = shorter / height
        return shorter, int(width * scale)
    scale = shorter / width
    return int(height * scale), shorter
