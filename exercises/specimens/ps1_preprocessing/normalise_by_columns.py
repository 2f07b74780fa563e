# ---
# about: Lines the three means up with the columns instead of the channels.
# blind: true
# fails:
#   test_normalise: Subtract the channel's mean, divide by its deviation.
#   test_to_batch: The size of tensor a (8) must match the size of tensor b (3)
#   test_make_loaders: The size of tensor a (6) must match the size of tensor b (3)
# ---

# %% solution="normalise"
def normalise(images, mean, std):
    return (images - torch.as_tensor(mean)) / torch.as_tensor(std)
