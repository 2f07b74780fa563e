# ---
# about: Multiplies by a factor that floating point can't hold, and loses a pixel for some sizes.
# blind: true
# fails:
#   test_new_size: Stay with whole numbers
# ---

# %% solution="new_size"
def new_size(height, width, shorter):
    scale = shorter / min(height, width)
    return int(height * scale), int(width * scale)
