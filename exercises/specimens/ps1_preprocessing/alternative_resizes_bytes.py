# ---
# about: "Bytes are resized before they become floats: each pixel is rounded to a byte."
# ---

# %% solution="to_square"
def to_square(photograph, size):
    """The middle square of bytes (C, H, W), as float32 (C, size, size) from 0 to 1."""
    height, width = new_size(*photograph.shape[1:], size)
    resized = F.interpolate(
        photograph[None], size=(height, width), mode="bilinear", antialias=True
    )[0]
    top, left = (height - size) // 2, (width - size) // 2
    return resized[:, top : top + size, left : left + size] / 255
