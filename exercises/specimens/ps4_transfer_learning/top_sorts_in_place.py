# ---
# about: Puts the outputs into order in place, and damages the caller's.
# fails:
#   test_top_1: "an input was changed"
#   test_top_5: "an input was changed"
# ---

# %% solution="top_k_accuracy"
def top_k_accuracy(outputs, labels, k):
    """The share of pictures (a float) whose right class is among the k largest outputs.

    outputs: (N, C), finite numbers; labels: whole numbers (N,), each from 0 to C - 1; k: from 1.
    """
    if len(labels) == 0:
        raise ValueError("no pictures: there is nothing to take a share of")
    own = outputs.gather(1, labels[:, None])
    rank = (outputs >= own).sum(dim=1)
    outputs.copy_(outputs.sort(dim=1, descending=True).values)
    return (rank <= k).double().mean().item()
