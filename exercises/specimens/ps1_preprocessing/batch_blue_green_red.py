# ---
# about: Swaps red and blue, as one has to for pictures that OpenCV has read.
# blind: true
# fails:
#   test_to_batch: the order is red, green, blue
# ---

# %% solution="to_batch"
def to_batch(photographs, size, mean, std):
    squares = [to_square(photograph, size).flip(0) for photograph in photographs]
    return normalise(torch.stack(squares), mean, std)
