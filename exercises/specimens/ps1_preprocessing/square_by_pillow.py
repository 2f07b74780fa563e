# ---
# about: Pillow resizes and crops.
# fails:
#   test_to_square: "write that step yourself"
#   test_stripes: "not available in this task"
#   test_to_batch: "not available in this task"
# ---

# %% solution="to_square"
def to_square(photograph, size):
    """Channel by channel, because Pillow wants one, three or four of them."""
    from PIL import Image

    height, width = new_size(photograph.shape[1], photograph.shape[2], size)
    top, left = (height - size) // 2, (width - size) // 2
    planes = []
    for channel in photograph.numpy():
        picture = Image.fromarray(channel).resize((width, height), Image.Resampling.BILINEAR)
        picture = picture.crop((left, top, left + size, top + size))
        planes.append(torch.tensor(list(picture.tobytes())).view(size, size))
    return torch.stack(planes) / 255
