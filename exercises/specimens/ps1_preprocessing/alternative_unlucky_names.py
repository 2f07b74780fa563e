# ---
# about: "Variables have the names of modules of torchvision."
# ---

# %% solution="to_square"
def to_square(photograph, size):
    """The middle square of bytes (C, H, W), as float32 (C, size, size) from 0 to 1."""
    v1 = photograph.float() / 255
    v2 = F.interpolate(
        v1[None], size=new_size(*v1.shape[1:], size), mode="bilinear", antialias=True
    )[0]
    top, left = (v2.shape[1] - size) // 2, (v2.shape[2] - size) // 2
    return v2[:, top : top + size, left : left + size]
