# ---
# about: Keeps the counts by the address of the outputs, whatever numbers stand there now.
# fails:
#   test_top_1: "one tensor, changed since the last call"
#   test_top_5: "one tensor, changed since the last call"
# ---

# %% solution="top_k_accuracy"
_RANKS = {}


def top_k_accuracy(outputs, labels, k):
    """The share of pictures (a float) whose right class is among the k largest outputs."""
    if len(labels) == 0:
        raise ValueError("no pictures: there is nothing to take a share of")
    place = outputs.data_ptr(), outputs.shape, outputs.stride(), tuple(labels.tolist())
    if place not in _RANKS:
        own = outputs.gather(1, labels[:, None])
        _RANKS[place] = (outputs >= own).sum(dim=1)
    return (_RANKS[place] <= k).double().mean().item()
