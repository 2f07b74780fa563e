# ---
# about: Normalises a batch with its own mean and deviation, whatever the network was trained with.
# blind: true
# fails:
#   test_to_batch: With the mean and std that you are given, white becomes (1 -
# ---

# %% solution="to_batch"
def to_batch(photographs, size, mean, std):
    squares = torch.stack([to_square(photograph, size) for photograph in photographs])
    return normalise(squares, *channel_statistics(squares))
