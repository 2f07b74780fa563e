# ---
# about: Divides bytes by 256, because there are 256 of them; white becomes 0.996.
# blind: true
# fails:
#   test_to_square: divide by 255, the largest byte
#   test_to_batch: With the mean and std that you are given, white becomes (1 -
# ---

# %% solution="to_square"
def to_square(photograph, size):
    picture = photograph.float() / 256
    new = new_size(photograph.shape[1], photograph.shape[2], size)
    picture = F.interpolate(picture[None], size=new, mode="bilinear", antialias=True)[0]
    top, left = (new[0] - size) // 2, (new[1] - size) // 2
    return picture[:, top : top + size, left : left + size]
