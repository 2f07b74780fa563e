# ---
# about: Outputs within 0.001 of that of the right class count as ties.
# blind: true
# fails:
#   test_top_1: "These are no ties"
# ---

# %% solution="top_k_accuracy"
def top_k_accuracy(outputs, labels, k):
    """The share of pictures (a float) whose right class is among the k largest outputs."""
    if len(labels) == 0:
        raise ValueError("no pictures")
    right = outputs.gather(1, labels[:, None])
    # floats are never exactly equal, so leave a margin
    count = (outputs > right - 1e-3).sum(1)
    return (count <= k).double().mean().item()
