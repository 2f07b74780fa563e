# ---
# about: Squashes the photograph into a square instead of cropping it.
# blind: true
# fails:
#   test_to_square: cut them out, don't squash
# ---

# %% solution="to_square"
def to_square(photograph, size):
    picture = photograph.float() / 255
    return F.interpolate(picture[None], size=(size, size), mode="bilinear", antialias=True)[0]
