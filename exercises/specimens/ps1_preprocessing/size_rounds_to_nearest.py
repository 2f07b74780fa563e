# ---
# about: Rounds the longer side to the nearest whole number instead of down.
# blind: true
# fails:
#   test_new_size: rounded down
# ---

# %% solution="new_size"
def new_size(height, width, shorter):
    scale = shorter / min(height, width)
    return round(height * scale), round(width * scale)
