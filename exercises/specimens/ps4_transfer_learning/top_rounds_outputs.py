# ---
# about: Rounds the outputs to whole numbers, so that fractions tie.
# fails:
#   test_top_1: "top-1 of 7 pictures, 3 classes, torch.float32: expected"
#   test_top_5: "top-5 of 50 pictures, 8 classes, torch.float32: expected"
# ---

# %% solution="top_k_accuracy"
def top_k_accuracy(outputs, labels, k):
    """The share of pictures (a float) whose right class is among the k largest outputs.

    outputs: (N, C), finite numbers; labels: whole numbers (N,), each from 0 to C - 1; k: from 1.
    """
    if len(labels) == 0:
        raise ValueError("no pictures: there is nothing to take a share of")
    outputs = outputs.round()
    own = outputs.gather(1, labels[:, None])
    rank = (outputs >= own).sum(dim=1)
    return (rank <= k).double().mean().item()
