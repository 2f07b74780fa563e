# ---
# about: Of no pictures it returns 0.0 instead of raising a ValueError.
# blind: true
# fails:
#   test_top_1: expected a ValueError
#   test_top_5: expected a ValueError
# ---

# %% solution="top_k_accuracy"
def top_k_accuracy(outputs, labels, k):
    """The share of pictures (a float) whose right class is among the k largest outputs."""
    right = outputs.gather(1, labels[:, None])
    count = (outputs >= right).sum(1)
    return (count <= k).sum().item() / max(len(labels), 1)
