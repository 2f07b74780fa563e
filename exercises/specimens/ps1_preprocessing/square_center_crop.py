# ---
# about: Lets torchvision crop, which is not to be used, and which rounds half a pixel otherwise.
# fails:
#   test_to_square: "write that step yourself"
#   test_stripes: "not available in this task"
#   test_to_batch: "not available in this task"
# ---

# %% solution="to_square"
def to_square(photograph, size):
    from torchvision.transforms import v2

    new = new_size(*photograph.shape[1:], size)
    picture = F.interpolate(photograph[None] / 255, size=new, mode="bilinear", antialias=True)
    return v2.CenterCrop(size)(picture)[0]
