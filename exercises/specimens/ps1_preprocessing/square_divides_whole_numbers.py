# ---
# about: Divides bytes with //, so that all but white becomes black.
# blind: true
# fails:
#   test_to_square: Divide with /, not with //
#   test_to_batch: "at (1, 0, 0, 0): expected 0.11764706, got 0"
# ---

# %% solution="to_square"
def to_square(photograph, size):
    picture = (photograph // 255).float()
    new = new_size(photograph.shape[1], photograph.shape[2], size)
    picture = F.interpolate(picture[None], size=new, mode="bilinear", antialias=True)[0]
    top, left = (new[0] - size) // 2, (new[1] - size) // 2
    return picture[:, top : top + size, left : left + size]
