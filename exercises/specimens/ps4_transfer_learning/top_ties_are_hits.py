# ---
# about: Counts only larger outputs, so that a network that says the same of all classes is always
#   right.
# fails:
#   test_top_1: "top-1 of the table: expected 0.3333, got 0.6667. Pictur"
#   test_top_5: "Of tied classes"
# ---

# %% solution="top_k_accuracy"
def top_k_accuracy(outputs, labels, k):
    """The share of pictures (a float) whose right class is among the k largest outputs.

    outputs: (N, C), finite numbers; labels: whole numbers (N,), each from 0 to C - 1; k: from 1.
    """
    if len(labels) == 0:
        raise ValueError("no pictures: there is nothing to take a share of")
    own = outputs.gather(1, labels[:, None])
    rank = (outputs > own).sum(dim=1) + 1
    return (rank <= k).double().mean().item()
