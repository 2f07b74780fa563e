# ---
# about: Answers 0 where there is no picture.
# fails:
#   test_top_1: "expected a ValueError"
#   test_top_5: "expected a ValueError"
# ---

# %% solution="top_k_accuracy"
def top_k_accuracy(outputs, labels, k):
    """The share of pictures (a float) whose right class is among the k largest outputs.

    outputs: (N, C), finite numbers; labels: whole numbers (N,), each from 0 to C - 1; k: from 1.
    """
    if len(labels) == 0:
        return 0.0
    own = outputs.gather(1, labels[:, None])
    rank = (outputs >= own).sum(dim=1)
    return (rank <= k).double().mean().item()
