# ---
# about: Subtracts in place, and so changes the pictures of whoever called.
# blind: true
# fails:
#   test_normalise: "normalise of ones (1, 3, 3, 3): an input was changed: work on new values."
# ---

# %% solution="normalise"
def normalise(images, mean, std):
    images -= torch.as_tensor(mean).view(-1, 1, 1)
    images /= torch.as_tensor(std).view(-1, 1, 1)
    return images
