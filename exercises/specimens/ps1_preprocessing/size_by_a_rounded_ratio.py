# ---
# about: "Rounds the ratio of the sides before it multiplies."
# blind: true
# fails:
#   test_new_size: expected
#   test_to_square: before and 7 after
# ---

# %% solution="new_size"
def new_size(height, width, shorter):
    """Height and width, two ints, after the shorter side has become `shorter`."""
    ratio = round(max(height, width) / min(height, width), 3)
    longer = int(shorter * ratio)
    return (shorter, longer) if height <= width else (longer, shorter)
