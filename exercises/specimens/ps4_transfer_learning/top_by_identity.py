# ---
# about: Keeps the outputs of every call with their counts, whatever numbers stand there now.
# fails:
#   test_top_1: "one tensor, changed since the last call"
#   test_top_5: "one tensor, changed since the last call"
# ---

# %% solution="top_k_accuracy"
_KEPT = []


def top_k_accuracy(outputs, labels, k):
    """The share of pictures (a float) whose right class is among the k largest outputs."""
    if len(labels) == 0:
        raise ValueError("no pictures: there is nothing to take a share of")
    ranks = next((ranks for kept, ranks in _KEPT if kept is outputs), None)
    if ranks is None:
        own = outputs.gather(1, labels[:, None])
        ranks = (outputs >= own).sum(dim=1)
        _KEPT.append((outputs, ranks))
    return (ranks <= k).double().mean().item()
