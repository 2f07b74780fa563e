# ---
# about: "The crop begins one pixel late if the resized side is even and the size is odd."
# blind: true
# fails:
#   test_to_square: 13 go
# ---

# %% solution="to_square"
def to_square(photograph, size):
    """The middle square of bytes (C, H, W), as float32 (C, size, size) from 0 to 1."""
    height, width = new_size(photograph.shape[1], photograph.shape[2], size)
    picture = photograph.float() / 255
    picture = F.interpolate(picture[None], size=(height, width), mode="bilinear", antialias=True)[0]
    top = height // 2 - size // 2
    left = width // 2 - size // 2
    return picture[:, top : top + size, left : left + size]
