# ---
# about: A tie costs one place however many classes tie, so a tie of three counts as a tie of two.
# blind: true
# fails:
#   test_top_5: Of tied classes
# ---

# %% solution="top_k_accuracy"
def top_k_accuracy(outputs, labels, k):
    """The share of pictures (a float) whose right class is among the k largest outputs."""
    if len(labels) == 0:
        raise ValueError("no pictures")
    right = outputs.gather(1, labels[:, None])
    larger = (outputs > right).sum(1)
    tied = (outputs == right).sum(1) > 1
    place = larger + 1 + tied.long()
    return (place <= k).double().mean().item()
