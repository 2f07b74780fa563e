# ---
# about: "The middle square is cut out of the original first and resized afterwards."
# blind: true
# fails:
#   test_to_square: Resize by the shorter side
# ---

# %% solution="to_square"
def to_square(photograph, size):
    """The middle square of bytes (C, H, W), as float32 (C, size, size) from 0 to 1."""
    picture = photograph.float() / 255
    _, height, width = picture.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = picture[None, :, top : top + side, left : left + side]
    square = F.interpolate(square, size=new_size(side, side, size), mode="bilinear", antialias=True)
    return square[0]
