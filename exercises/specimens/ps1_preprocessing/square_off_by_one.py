# ---
# about: Rounds the start of the crop up, and is one pixel beside the middle.
# blind: true
# fails:
#   test_to_square: cut them out, don't squash
# ---

# %% solution="to_square"
def to_square(photograph, size):
    picture = photograph.float() / 255
    new = new_size(photograph.shape[1], photograph.shape[2], size)
    picture = F.interpolate(picture[None], size=new, mode="bilinear", antialias=True)[0]
    top, left = (new[0] - size + 1) // 2, (new[1] - size + 1) // 2
    return picture[:, top : top + size, left : left + size]
