# ---
# about: Has course_utils prepare the photographs, and undoes its normalisation to do its own.
# fails:
#   test_to_batch: ImportError
# ---

# %% solution="to_batch"
def to_batch(photographs, size, mean, std):
    from course_utils.models import preprocess

    batch = torch.cat([preprocess(photograph, size) for photograph in photographs])
    center = torch.tensor(IMAGENET_MEAN).view(3, 1, 1)
    spread = torch.tensor(IMAGENET_STD).view(3, 1, 1)
    return normalise(batch * spread + center, mean, std)
