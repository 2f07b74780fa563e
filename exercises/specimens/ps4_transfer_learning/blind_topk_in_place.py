# ---
# about: Subtracts the right class's output from the given tensor in place, so the caller's
#   outputs change.
# blind: true
# fails:
#   test_top_1: "an input was changed"
#   test_top_5: "an input was changed"
# ---

# %% solution="top_k_accuracy"
def top_k_accuracy(outputs, labels, k):
    """The share of pictures (a float) whose right class is among the k largest outputs."""
    if len(labels) == 0:
        raise ValueError("no pictures")
    outputs -= outputs.gather(1, labels[:, None]).clone()
    count = (outputs >= 0).sum(1)
    return (count <= k).double().mean().item()
