# ---
# about: Takes the picture for (H, W, C), as Pillow and OpenCV store it.
# blind: true
# fails:
#   test_to_square: divide by 255, the largest byte
#   test_stripes: "Fine patterns have to be blurred before they shrink: antialias"
#   test_to_batch: stack expects each tensor to be equal size, but got [30, 8,
# ---

# %% solution="to_square"
def to_square(photograph, size):
    picture = (photograph.float() / 255).permute(2, 0, 1)
    new = new_size(picture.shape[1], picture.shape[2], size)
    picture = F.interpolate(picture[None], size=new, mode="bilinear", antialias=True)[0]
    top, left = (new[0] - size) // 2, (new[1] - size) // 2
    return picture[:, top : top + size, left : left + size]
