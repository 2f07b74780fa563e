# ---
# about: "Each photograph is divided by its own brightest byte instead of by 255."
# blind: true
# fails:
#   test_to_square: "23 columns, of which 8 stay at (0, 0, 0): expected 0.027450981"
#   test_to_batch: "at (1, 0, 0, 0): expected 0.11764706, got 1"
# ---

# %% solution="to_square"
def to_square(photograph, size):
    """The middle square of bytes (C, H, W), as float32 (C, size, size) from 0 to 1."""
    _, height, width = photograph.shape
    picture = photograph.float()
    # scale to [0, 1]; an all-black picture stays black
    picture = picture / picture.max().clamp(min=1)
    height, width = new_size(height, width, size)
    picture = F.interpolate(
        picture.unsqueeze(0), size=(height, width), mode="bilinear", antialias=True
    ).squeeze(0)
    top, left = (height - size) // 2, (width - size) // 2
    return picture[:, top : top + size, left : left + size]
