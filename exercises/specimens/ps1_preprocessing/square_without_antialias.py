# ---
# about: Leaves antialias off, which is F.interpolate's default.
# blind: true
# fails:
#   test_to_square: Resize by the shorter side, bilinear with antialias, then cut
#   test_stripes: "Fine patterns have to be blurred before they shrink: antialias"
# ---

# %% solution="to_square"
def to_square(photograph, size):
    picture = photograph.float() / 255
    new = new_size(photograph.shape[1], photograph.shape[2], size)
    picture = F.interpolate(picture[None], size=new, mode="bilinear")[0]
    top, left = (new[0] - size) // 2, (new[1] - size) // 2
    return picture[:, top : top + size, left : left + size]
