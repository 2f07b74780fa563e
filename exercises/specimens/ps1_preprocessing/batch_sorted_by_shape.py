# ---
# about: "Wide photographs come first, tall ones then."
# blind: true
# fails:
#   test_to_batch: Picture i has to be at place i
# ---

# %% solution="to_batch"
def to_batch(photographs, size, mean, std):
    """A normalised batch (N, C, size, size) from a list of photographs, bytes (C, H, W)."""
    wide = [to_square(p, size) for p in photographs if p.shape[2] >= p.shape[1]]
    tall = [to_square(p, size) for p in photographs if p.shape[2] < p.shape[1]]
    return normalise(torch.stack(wide + tall), mean, std)
